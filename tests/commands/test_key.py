"""`zhiyn key rotate`: another SECRET_KEY opens the same keys, and no other row changes."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from support.command import zhiyn
from support.database import SECRET, TestDatabase
from support.people import one, rows

from bot.key_cli import KeyWrong, rotate
from core.crypto import Keyring, SealBroken
from core.ids import new_id
from services import keys

NEW = "another secret key of thirty-two characters"


async def opened(db: TestDatabase, secret: str) -> Keyring:
    """The keys as this SECRET_KEY opens them."""
    async with AsyncSession(db.database.work) as session:
        return await keys.open_keyring(session, secret, db.clock.now())


async def test_the_same_keys_under_another_secret(db: TestDatabase) -> None:
    row = new_id(db.clock.now())
    sealed = db.keyring.seal("resident.full_name", row, "Ахметов Серік")
    ran = await zhiyn(db, "key", "rotate", SECRET_KEY_NEW=NEW)
    assert ran.code == 0, ran.err
    assert "SECRET_KEY (.env)" in ran.out
    assert NEW not in ran.out + ran.err
    keyring = await opened(db, NEW)
    assert keyring.open("resident.full_name", row, sealed) == "Ахметов Серік"
    assert keyring.index("phone", "+7") == db.keyring.index("phone", "+7")
    with pytest.raises(SealBroken):
        await opened(db, SECRET)
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'key-rotated'") == 1


async def test_typed_in_twice(db: TestDatabase) -> None:
    """Without SECRET_KEY_NEW and without a keyboard nothing happens."""
    before = await rows(db, "SELECT id, wrapped FROM key ORDER BY id")
    ran = await zhiyn(db, "key", "rotate")
    assert ran.code != 0
    assert await rows(db, "SELECT id, wrapped FROM key ORDER BY id") == before


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [(SECRET, SECRET, KeyWrong), (SECRET, "short", KeyWrong), ("x" * 40, NEW, SealBroken)],
)
async def test_a_key_that_cannot_be_taken(
    db: TestDatabase, old: str, new: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await rotate(db.database, old, new, None)
    await opened(db, SECRET)


async def test_the_key_file_follows(db: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "secret_key"
    file.write_text(SECRET)
    assert await rotate(db.database, SECRET, NEW, file) == file
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.with_name("secret_key.new").exists()


async def test_broken_off_before_the_key_file_was_changed(
    db: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command again mends it."""
    file = tmp_path / "secret_key"
    file.write_text(SECRET)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="no space"):
            await rotate(db.database, SECRET, NEW, file)
    assert file.read_text() == SECRET
    await rotate(db.database, SECRET, NEW, file)
    assert file.read_text() == NEW
    await opened(db, NEW)
