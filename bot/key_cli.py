"""`zhiyn key rotate`: the installation's keys under another SECRET_KEY."""

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from core.clock import Clock
from core.crypto import Keyring, SealBroken
from core.settings import SECRET_LENGTH
from services import audit, keys
from services.unit import Unit


class KeyWrong(ValueError):
    """The new key cannot be taken; the text says why in one line."""


def check_new(old: str, new: str) -> None:
    """Raises KeyWrong for a key that is too short or the same as before."""
    if len(new) < SECRET_LENGTH:
        raise KeyWrong(f"SECRET_KEY_NEW: too short, {SECRET_LENGTH} characters at least")
    if new == old:
        raise KeyWrong("SECRET_KEY_NEW: the same as SECRET_KEY")


async def rotate(database: Database, old: str, new: str, file: Path | None) -> Path | None:
    """Wraps the keys anew; `file`: the key file of an embedded installation, which is changed.

    One transaction: all keys or none. Data is not touched, and running processes go on: they have
    the open keys. A key file is written beside the old one before the commit and put in its place
    after it; a crash in between is mended by the same command with the same new key. Raises
    KeyWrong, SealBroken.
    """
    check_new(old, new)
    waiting = _write_beside(file, new) if file else None
    now = Clock().now()
    async with AsyncSession(database.work) as session, session.begin():
        unit = Unit(session, await _rewrapped(session, old, new, now), now)
        unit.audit("key-rotated")
        await audit.write(unit)
    if file and waiting:
        waiting.replace(file)
    return file


async def _rewrapped(session: AsyncSession, old: str, new: str, now: datetime) -> Keyring:
    try:
        keyring = await keys.open_keyring(session, old, now)
    except SealBroken:
        return await keys.open_keyring(session, new, now)  # done before, and broken off after it
    await keys.rewrap(session, old, new)
    return keyring


def _write_beside(file: Path, key: str) -> Path:
    beside = file.with_name("secret_key.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(key)
        opened.flush()
        os.fsync(opened.fileno())
    return beside
