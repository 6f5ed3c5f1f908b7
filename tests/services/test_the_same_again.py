"""The guard against sending the same twice: what is known again, and two of an office at once."""

import asyncio
from datetime import timedelta
from uuid import UUID

from core.clock import FrozenClock
from core.outcomes import Outcome
from services import notice_changes, notices, roles
from services.notices import NoticeText
from services.roles import RoleName
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler
from tests.services.test_notices_in_depth import (
    NEWER,
    OKRUG,
    TEXTS,
    Office,
    claim,
    office,
    rows,
    settle_all,
)

__all__ = ["office"]

ANOTHER = "595041500"


def later(office: Office, hours: int) -> None:
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(hours=hours))


async def known(
    office: Office, words: dict = TEXTS, audience: tuple[str, ...] = (VILLAGE,)
) -> UUID | None:
    async with office.db.unit() as unit:
        found = await notices.same_before(unit, OKRUG, words, audience)
    return found.notice if found else None


async def test_the_same_words_again_are_known(office: Office, settle: Settler) -> None:
    """Whatever the spacing; other words, other places, another day are another notice."""
    await settle()
    notice = await office.send()
    spaced = {one: NoticeText(f" {w.title.upper()} ", f"{w.body}  ") for one, w in TEXTS.items()}
    assert await known(office, spaced) == notice
    assert await known(office, NEWER) is None
    assert await known(office, audience=(ANOTHER,)) is None
    later(office, 25)
    assert await known(office) is None


async def test_some_of_the_same_places_are_enough(office: Office, settle: Settler) -> None:
    await settle()
    notice = await office.send(audience=[VILLAGE, ANOTHER])
    assert await known(office) == notice
    assert await known(office, audience=(ANOTHER, "595041600")) == notice


async def test_what_was_planned_counts_from_its_moment(office: Office, settle: Settler) -> None:
    """Written two days ago for this morning, it went this morning."""
    await settle()
    async with office.db.unit() as unit:
        moment = unit.now + timedelta(hours=48)
    notice = await office.send(at=moment)
    assert await known(office) == notice, "planned"
    later(office, 48)
    assert await known(office) == notice
    later(office, 25)
    assert await known(office) is None


async def test_a_correction_is_known_by_its_words(office: Office, settle: Settler) -> None:
    await settle()
    notice = await office.send()
    assert await office.correct(notice)
    assert await known(office, NEWER) == notice
    assert await known(office, TEXTS) is None, "those are wanted by nobody any more"


async def test_what_was_cancelled_counts_if_somebody_has_got_it(
    office: Office, settle: Settler
) -> None:
    await settle()
    await settle()
    notice = await office.send()
    assert await office.change(notice_changes.cancel, notice)
    assert await known(office) is None
    notice = await office.send()
    await settle_all(office.db, await claim(office.db, limit=1), Outcome.SENT)
    assert await office.change(notice_changes.cancel, notice)
    assert await known(office) == notice


async def test_two_of_an_office_at_once_send_it_once(office: Office, settle: Settler) -> None:
    """Both saw a preview that knew of nothing."""
    await settle()
    person, address = await settle("595030100")
    async with office.db.unit() as unit:
        await roles.grant(unit, person, RoleName.CLERK, OKRUG)
    clerk = Office(office.db, person, address)
    both = await asyncio.gather(
        *(one.send(again=False) for one in (office, clerk)), return_exceptions=True
    )
    refused = [one for one in both if isinstance(one, Refused)]
    assert [one.reason for one in refused] == ["refused-same"]
    assert len(await rows(office.db, "SELECT 1 FROM notice")) == 1
    await clerk.send(again=True)
    assert len(await rows(office.db, "SELECT 1 FROM notice")) == 2


async def test_the_same_button_twice_is_not_the_same_again(office: Office, settle: Settler) -> None:
    await settle()
    notice = await office.send(again=False)
    assert await office.send(again=False, notice=notice) == notice
    assert len(await rows(office.db, "SELECT 1 FROM notice")) == 1
