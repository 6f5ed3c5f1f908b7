"""A correction that is cancelled on its way: who has the older text keeps it, and counts by it."""

from uuid import UUID

import pytest

from core.outcomes import Outcome
from services import notice_changes, notices
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    Office,
    claim,
    counts,
    office,
    rows,
    settle_all,
    two_chats,
)

__all__ = ["office"]
HOW = """
SELECT d.outcome, m.revision, s.outcome AS second FROM recipient AS r
JOIN delivery AS d ON d.id = r.delivery_id JOIN message AS m ON m.id = d.message_id
LEFT JOIN delivery AS s ON s.id = r.second_id ORDER BY m.revision, d.outcome
"""


async def uncorrected(office: Office, notice: UUID) -> int:
    async with office.db.session() as session:
        return await notices.uncorrected(await session.connection(), notice)


async def test_who_has_the_older_text_counts_by_it(office: Office, settle: Settler) -> None:
    """A notice that 759 people had was "not received by 787"."""
    for _ in range(3):
        await settle()
    notice = await office.send()
    first, second, third = await claim(office.db)
    await settle_all(office.db, [first, second], Outcome.SENT)
    await settle_all(office.db, [third], Outcome.TRANSIENT)
    assert await uncorrected(office, notice) == 0
    assert await office.correct(notice)
    assert await uncorrected(office, notice) == 2
    leased = await claim(office.db)
    corrected = next(one for one in leased if one.address == first.address)
    await settle_all(office.db, [corrected], Outcome.SENT)
    await settle_all(office.db, [one for one in leased if one != corrected], Outcome.TRANSIENT)
    assert await uncorrected(office, notice) == 1
    assert await office.change(notice_changes.cancel, notice)
    office.db.clock.advance(notices.LIVE_PAUSE * 1000)
    async with office.db.unit() as unit:
        assert not await notice_changes.settle(unit, notice)
    found = await counts(office.db, notice)
    assert (found.total, found.sent, found.failed) == (3, 2, {"cancelled": 1})
    assert found.older == 1
    assert [(row.outcome, row.revision) for row in await rows(office.db, HOW)] == [
        ("sent", 1), ("cancelled", 2), ("sent", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("corrections", [1, 2])
async def test_by_the_latest_that_came(office: Office, settle: Settler, corrections: int) -> None:
    """Corrected twice: the first correction came, the second did not."""
    await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db), Outcome.SENT)
    for number in range(corrections):
        assert await office.correct(notice, number + 2)
        if number + 1 < corrections:
            await settle_all(office.db, await claim(office.db), Outcome.SENT)
    assert await office.change(notice_changes.cancel, notice)
    (row,) = await rows(office.db, HOW)
    assert (row.outcome, row.revision) == ("sent", corrections)


async def test_on_both_messengers(office: Office, settle: Settler) -> None:
    await two_chats(office, settle)
    notice = await office.send()
    (one,) = await claim(office.db)
    await settle_all(office.db, [one], Outcome.UNREACHABLE)
    await settle_all(office.db, await claim(office.db), Outcome.SENT)
    assert await office.correct(notice)
    assert await office.change(notice_changes.cancel, notice)
    (row,) = await rows(office.db, HOW)
    assert "sent" in (row.outcome, row.second)
    found = await counts(office.db, notice)
    assert (found.sent, found.older) == (1, 1)
