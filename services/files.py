"""Files: bytes sealed in the database, fetched by a random address that lives for 48 hours."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.files import MAX_BYTES, File, FileToken, PlatformFile
from services.unit import Unit

CONTENT, NAME = "file.content", "file.name"
TOKEN_TERM = timedelta(hours=48)


class FileTooLarge(ValueError):
    """Over 16 MB: WhatsApp would refuse it."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file, opened."""

    id: UUID
    medium: str
    mime: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FileCard:
    """A file without its bytes."""

    id: UUID
    medium: str
    mime: str
    name: str


async def keep(unit: Unit, medium: str, mime: str, name: str, content: bytes) -> UUID:
    """Stores the bytes sealed; the same bytes twice are two files. Raises FileTooLarge."""
    if len(content) > MAX_BYTES:
        raise FileTooLarge(f"{len(content)} bytes")
    identifier = unit.new_id()
    unit.session.add(
        File(
            id=identifier,
            medium=medium,
            mime=mime,
            name=unit.keyring.seal(NAME, identifier, name),
            size=len(content),
            sha256=unit.keyring.index("file", content.hex()),
            content=unit.keyring.seal_bytes(CONTENT, identifier, content),
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    return identifier


async def fetch(unit: Unit, file: UUID) -> StoredFile | None:
    """The file, opened; None while its bytes are not here."""
    found = await unit.session.get(File, file)
    if found is None or found.content is None:
        return None
    return StoredFile(
        found.id,
        found.medium,
        found.mime,
        unit.keyring.open(NAME, found.id, found.name),
        unit.keyring.open_bytes(CONTENT, found.id, found.content),
    )


async def described(unit: Unit, files: Sequence[UUID]) -> list[FileCard]:
    """What these files are, in their order; without their bytes."""
    rows = await unit.session.execute(
        select(File.id, File.medium, File.mime, File.name).where(File.id.in_(files))
    )
    known = {row.id: row for row in rows}
    return [
        FileCard(one, row.medium, row.mime, unit.keyring.open(NAME, one, row.name))
        for one in files
        if (row := known.get(one)) is not None
    ]


async def new_token(unit: Unit, file: UUID) -> str:
    """A random word of 43 letters by which the file can be fetched for 48 hours."""
    token = secrets.token_urlsafe(32)
    unit.session.add(
        FileToken(hash=_hash(unit, token), file_id=file, expires_at=unit.now + TOKEN_TERM)
    )
    await unit.session.flush()
    return token


async def by_token(unit: Unit, token: str) -> StoredFile | None:
    """The file that the token stands for, while it is valid."""
    found = await unit.session.scalar(
        select(FileToken.file_id).where(
            FileToken.hash == _hash(unit, token), FileToken.expires_at > unit.now
        )
    )
    return await fetch(unit, found) if found else None


async def forget(unit: Unit, file: UUID) -> None:
    """Removes the file with its addresses and what the platforms call it."""
    for table in (FileToken, PlatformFile):
        await unit.session.execute(delete(table).where(table.file_id == file))
    await unit.session.execute(delete(File).where(File.id == file))


async def forget_tokens(unit: Unit) -> None:
    """Removes tokens whose time is over."""
    await unit.session.execute(delete(FileToken).where(FileToken.expires_at <= unit.now))


async def platform_id(unit: Unit, file: UUID, account: UUID) -> str | None:
    """The id by which the platform knows the file already."""
    found = await unit.session.get(PlatformFile, (file, account))
    return found.platform_id if found else None


async def remember_platform_id(unit: Unit, file: UUID, account: UUID, known_as: str) -> None:
    """The platform has been given the file and keeps it under this id."""
    row = {"file_id": file, "account_id": account, "platform_id": known_as}
    await unit.session.execute(
        insert(PlatformFile)
        .values(row)
        .on_conflict_do_update(index_elements=["file_id", "account_id"], set_=row)
    )


def _hash(unit: Unit, token: str) -> bytes:
    return unit.keyring.index("file-token", token)
