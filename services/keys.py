"""The installation's keys: made at the first start, opened with `SECRET_KEY` at every other."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.crypto import Keyring, new_key, unwrap, wrap, wrapping_key
from models.system import Installation, Key

FIRST_START = 7_100_001  # advisory lock: two processes must not both make the keys


async def open_keyring(session: AsyncSession, secret_key: str, now: datetime) -> Keyring:
    """The open keys; makes them, and the installation's row, when there are none yet.

    Raises SealBroken when `SECRET_KEY` is not the one that wrapped them.
    """
    await session.execute(text(f"SELECT pg_advisory_xact_lock({FIRST_START})"))
    kek = wrapping_key(secret_key)
    keys = (await session.scalars(select(Key))).all()
    if not keys:
        keys = _make(kek, now)
        session.add_all([*keys, Installation(id=1)])
        await session.flush()
    data = {key.id: unwrap(kek, key.id, key.wrapped) for key in keys if key.purpose == "data"}
    index = next(unwrap(kek, key.id, key.wrapped) for key in keys if key.purpose == "index")
    return Keyring(data, index)


async def rewrap(session: AsyncSession, old: str, new: str) -> int:
    """Wraps every key with another `SECRET_KEY`; how many. No other row changes.

    Raises SealBroken when `old` is not the one that wrapped them.
    """
    await session.execute(text(f"SELECT pg_advisory_xact_lock({FIRST_START})"))
    before, after = wrapping_key(old), wrapping_key(new)
    stored = (await session.scalars(select(Key).with_for_update())).all()
    for key in stored:
        key.wrapped = wrap(after, key.id, unwrap(before, key.id, key.wrapped))
    await session.flush()
    return len(stored)


def _make(kek: bytes, now: datetime) -> Sequence[Key]:
    purposes = {1: "index", 2: "data"}
    return [
        Key(id=number, purpose=purpose, wrapped=wrap(kek, number, new_key()), created_at=now)
        for number, purpose in purposes.items()
    ]
