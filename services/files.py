"""Files: bytes sealed in the database, fetched by a random address that lives for 48 hours.

What somebody sends is noted in the turn (`wanted`) and fetched after its commit: a process takes
a lease (`lease`), downloads, and says what came of it (`arrived`, `missed`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from models.files import MAX_BYTES, File, FileToken, PlatformFile
from models.system import Account
from rules.attachments import FileFault, real_type, size_fault
from services.unit import Unit

CONTENT, NAME, REFERENCE = "file.content", "file.name", "file.reference"
TOKEN_TERM = timedelta(hours=48)
FETCH_LEASE = timedelta(minutes=3)  # longer than any download takes
FETCH_PAUSES = tuple(timedelta(seconds=s) for s in (3, 15, 60, 300))  # between tries
UNUSED_KEPT = timedelta(days=120)  # longer than a draft lives


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
    """A file without its bytes. `here`: they are stored; `failure`: why they never will be."""

    id: UUID
    medium: str
    mime: str
    name: str
    here: bool = True
    failure: FileFault | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be fetched now, from the account that it was sent to."""

    id: UUID
    account: UUID
    address: UUID
    reference: str
    medium: str
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
    here = File.content.is_not(None).label("here")
    rows = await unit.session.execute(
        select(File.id, File.medium, File.mime, File.name, here, File.failure).where(
            File.id.in_(files)
        )
    )
    known = {row.id: row for row in rows}
    return [
        FileCard(
            one,
            row.medium,
            row.mime,
            unit.keyring.open(NAME, one, row.name),
            row.here,
            FileFault(row.failure) if row.failure else None,
        )
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


async def wanted(
    unit: Unit,
    account: UUID,
    address: UUID,
    medium: str,
    mime: str,
    name: str,
    reference: str,
    size: int = 0,
) -> UUID:
    """Notes what somebody sent, to be fetched after the commit; its id. `size`: bytes, zero where
    the messenger does not say."""
    identifier = unit.new_id()
    unit.session.add(
        File(
            id=identifier,
            medium=medium,
            mime=mime,
            name=unit.keyring.seal(NAME, identifier, name),
            size=min(size, MAX_BYTES),
            account_id=account,
            address_id=address,
            reference=unit.keyring.seal(REFERENCE, identifier, reference),
            fetch_at=unit.now,
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    if (
        await unit.session.scalar(select(Account.channel).where(Account.id == account))
        == "telegram"
    ):
        await remember_platform_id(unit, identifier, account, reference)
    return identifier


async def lease(unit: Unit, accounts: Sequence[UUID], limit: int) -> list[Wanted]:
    """Files that are to be fetched now, for these accounts; nobody else gets them until the lease
    is over."""
    rows = await unit.session.scalars(
        select(File)
        .where(File.fetch_at <= unit.now, File.account_id.in_(accounts))
        .order_by(File.fetch_at, File.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    leased = []
    for row in rows.all():
        row.fetch_at, row.attempts = unit.now + FETCH_LEASE, row.attempts + 1
        if row.account_id and row.address_id and row.reference:
            name = unit.keyring.open(NAME, row.id, row.name)
            reference = unit.keyring.open(REFERENCE, row.id, row.reference)
            known = (row.id, row.account_id, row.address_id, reference)
            leased.append(Wanted(*known, row.medium, name))
    await unit.session.flush()
    return leased


async def arrived(unit: Unit, file: UUID, content: bytes) -> FileFault | None:
    """Stores the bytes sealed, under the type that they really have; why they will not do, if
    they are too large or no picture or document. One that is here already, or that nobody wants
    any more, stays as it is."""
    found = await unit.session.get(File, file, with_for_update=True, populate_existing=True)
    if found is None or found.fetch_at is None:
        return None
    mime = real_type(content)
    fault = FileFault.KIND if mime is None else size_fault(mime, len(content))
    if mime is None or fault is not None:
        return await _given_up(unit, found, fault or FileFault.KIND)
    found.mime, found.size = mime, len(content)
    if not mime.startswith("image/"):
        found.medium = "document"
    found.sha256 = unit.keyring.index("file", content.hex())
    found.content = unit.keyring.seal_bytes(CONTENT, file, content)
    found.fetch_at = found.reference = None
    return None


async def missed(unit: Unit, file: UUID, fault: FileFault | None = None) -> FileFault | None:
    """It could not be fetched: again after a growing pause; why not, when it is given up, at once
    for a `fault` that another try does not mend."""
    found = await unit.session.get(File, file, with_for_update=True, populate_existing=True)
    if found is None or found.fetch_at is None:
        return None
    if fault is None and found.attempts <= len(FETCH_PAUSES):
        found.fetch_at = unit.now + FETCH_PAUSES[max(found.attempts - 1, 0)]
        return None
    return await _given_up(unit, found, fault or FileFault.GONE)


async def _given_up(unit: Unit, found: File, fault: FileFault) -> FileFault:
    found.failure, found.fetch_at, found.reference = fault.value, None, None
    await unit.session.execute(delete(PlatformFile).where(PlatformFile.file_id == found.id))
    unit.audit("file-refused", found.id, why=fault.value)
    return fault


async def forget_unsent(unit: Unit, files: Sequence[UUID]) -> None:
    """Removes those of these files that no notice carries."""
    carried = set(
        await unit.session.scalars(
            text(
                "SELECT f.id FROM file AS f WHERE f.id = ANY(:ids) AND EXISTS ("
                " SELECT 1 FROM notice AS n WHERE n.files @> to_jsonb(f.id::text))"
            ),
            {"ids": list(files)},
        )
    )
    for file in files:
        if file not in carried:
            await forget(unit, file)


async def forget_unused(unit: Unit) -> None:
    """Removes what was sent for a notice that never went: the form was left, the draft is gone."""
    old = await unit.session.scalars(
        select(File.id).where(
            File.address_id.is_not(None), File.created_at < unit.now - UNUSED_KEPT
        )
    )
    await forget_unsent(unit, old.all())


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
