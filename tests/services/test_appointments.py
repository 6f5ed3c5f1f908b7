"""Giving and taking roles: an akim in the own office, an operator below, nobody else; noted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from support.database import TestDatabase

from services import appointments, residents, roles
from services.roles import Power, RoleName
from services.unit import Refused, Unit
from tests.services.conftest import Settler

OKRUG, OTHER_OKRUG, DISTRICT, OBLAST = "595041000", "595030000", "595000000", "590000000"
VILLAGE = "595041100"
AKIM, CLERK, DEPUTY, SUPERVISOR, OPERATOR = RoleName

Appoint = Callable[..., Awaitable[UUID]]


@pytest_asyncio.fixture
async def appoint(settled: TestDatabase, settle: Settler) -> Appoint:
    """Makes a resident who holds this role."""

    async def make(role: RoleName | None, place: str = OKRUG, **given: object) -> UUID:
        person, _ = await settle()
        if role is not None:
            async with settled.unit() as unit:
                await roles.grant(unit, person, role, place, **given)  # type: ignore[arg-type]
        return person

    return make


async def role_of(unit: Unit, person: UUID) -> UUID:
    """The id of the only role that this person holds."""
    found = await unit.session.execute(
        text("SELECT id FROM role WHERE resident_id = :who AND revoked_at IS NULL"), {"who": person}
    )
    return found.scalar_one()


@pytest.mark.parametrize(
    ("held", "at", "given", "where", "allowed"),
    [
        (AKIM, OKRUG, CLERK, OKRUG, True),
        (AKIM, OKRUG, AKIM, OKRUG, False),
        (AKIM, OKRUG, DEPUTY, OKRUG, False),
        (AKIM, OKRUG, OPERATOR, OKRUG, False),
        (AKIM, OKRUG, CLERK, OTHER_OKRUG, False),
        (AKIM, OKRUG, CLERK, DISTRICT, False),
        (AKIM, DISTRICT, CLERK, OKRUG, False),  # another office than that akim's own
        (AKIM, DISTRICT, CLERK, DISTRICT, True),
        (OPERATOR, DISTRICT, AKIM, OKRUG, True),
        (OPERATOR, DISTRICT, OPERATOR, DISTRICT, True),
        (OPERATOR, DISTRICT, CLERK, VILLAGE, True),
        (OPERATOR, DISTRICT, AKIM, OBLAST, False),
        (OPERATOR, OKRUG, AKIM, OTHER_OKRUG, False),
        (OPERATOR, DISTRICT, AKIM, "000000000", False),
        (SUPERVISOR, DISTRICT, CLERK, OKRUG, False),
        (CLERK, OKRUG, CLERK, OKRUG, False),
        (DEPUTY, DISTRICT, CLERK, OKRUG, False),
        (None, "", CLERK, OKRUG, False),
    ],
)
async def test_who_gives_and_takes_what(
    settled: TestDatabase,
    appoint: Appoint,
    held: RoleName | None,
    at: str,
    given: RoleName,
    where: str,
    allowed: bool,
) -> None:
    """The same answer for inviting, withdrawing, taking and changing; a refusal is noted and has
    no effect."""
    actor = await appoint(held, at)
    standing = where != "000000000"
    other = await appoint(given, where) if standing else await appoint(None)
    powers = [Power.SEND] if given is CLERK else None
    async with settled.unit() as unit:
        if standing:
            await roles.invite(unit, given, where)
            invitation = await unit.session.scalar(text("SELECT id FROM invitation"))
            role = await role_of(unit, other)
    async with settled.unit() as unit:
        unit.actor = actor
        acts = [lambda: appointments.offer(unit, given, where, powers=powers)]
        if standing:
            acts += [
                lambda: appointments.withdraw(unit, invitation),
                lambda: appointments.dismiss(unit, role),
            ]
        for act in acts:
            if allowed:
                await act()
                continue
            with pytest.raises(Refused, match="refused-role"):
                await act()
            assert unit.audit_rows[-1].action == "role-missing"
            assert unit.audit_rows[-1].actor == actor
        holds = await roles.standing(unit, other)
        made = await unit.session.scalar(text("SELECT count(*) FROM invitation"))
        void = await unit.session.scalar(text("SELECT count(withdrawn_at) FROM invitation"))
    assert bool(holds) == (standing and not allowed)
    assert (made, void) == ((2, 1) if allowed else (int(standing), 0))


@pytest.mark.parametrize(
    ("held", "at", "place", "sees"),
    [
        (AKIM, OKRUG, OKRUG, True),
        (AKIM, OKRUG, OTHER_OKRUG, False),
        (SUPERVISOR, DISTRICT, OKRUG, True),
        (SUPERVISOR, DISTRICT, OBLAST, False),
        (OPERATOR, OBLAST, VILLAGE, True),
        (CLERK, OKRUG, OKRUG, False),
        (DEPUTY, DISTRICT, OKRUG, False),
        (None, "", OKRUG, False),
    ],
)
async def test_who_sees_who_holds_what(
    settled: TestDatabase,
    appoint: Appoint,
    held: RoleName | None,
    at: str,
    place: str,
    sees: bool,
) -> None:
    actor, holder = await appoint(held, at), await appoint(AKIM, place)
    async with settled.unit() as unit:
        unit.actor = actor
        role = await role_of(unit, holder)
        looks = [
            lambda: appointments.office(unit, place),
            lambda: appointments.holders(unit, place),
            lambda: appointments.open_offers(unit, place),
            lambda: appointments.below(unit, place),
            lambda: appointments.holder(unit, role),
        ]
        for look in looks:
            if sees:
                await look()
                continue
            with pytest.raises(Refused, match="refused-role"):
                await look()
            assert unit.audit_rows[-1].action == "role-missing"
        noted = [row.action for row in unit.audit_rows].count("roles-seen")
    assert noted == (2 if sees else 0), "each look at names is noted"


async def test_an_official_is_named_or_recognised_by_the_number(
    settled: TestDatabase, appoint: Appoint, settle: Settler
) -> None:
    akim = await appoint(AKIM)
    async with settled.unit() as unit:
        _, chat = await settle(channel="whatsapp")
        await unit.session.execute(text("UPDATE address_alias SET kind = 'other'"))
        nameless = await residents.new_person(unit, chat, "kk")
        from services import intake

        account = await unit.session.scalar(
            text("SELECT account_id FROM address WHERE id = :id"), {"id": chat}
        )
        await intake.add_aliases(unit, account, chat, [("phone", "+77015551234")])
        await roles.grant(unit, nameless, CLERK, OKRUG)
    async with settled.unit() as unit:
        unit.actor = akim
        first, second = await appointments.holders(unit, OKRUG)
    assert (first.view.role, first.name) == (AKIM, "Ахметов Серік")
    assert (second.name, second.channel, second.phone_end) == (None, "whatsapp", "1234")


async def test_a_clerk_is_told_anew_what_to_do(settled: TestDatabase, appoint: Appoint) -> None:
    akim, clerk, deputy = await appoint(AKIM), await appoint(CLERK), await appoint(DEPUTY)
    async with settled.unit() as unit:
        unit.actor = akim
        await appointments.delegate(unit, await role_of(unit, clerk), [Power.REPORT])
        [view] = await roles.standing(unit, clerk)
        assert view.powers == {Power.REPORT}
        assert unit.audit_rows[-1].details["powers"] == ["report"]
        with pytest.raises(Refused):
            await appointments.delegate(unit, await role_of(unit, clerk), [])
        unit.actor = clerk
        with pytest.raises(Refused, match="refused-role"):
            await appointments.delegate(unit, await role_of(unit, clerk), list(Power))
    async with settled.unit() as unit:
        unit.actor = await appoint(OPERATOR)
        with pytest.raises(Refused):
            await appointments.delegate(unit, await role_of(unit, deputy), [Power.SEND])


async def test_what_is_delegated_ends_with_the_akims_own_term(
    settled: TestDatabase, appoint: Appoint
) -> None:
    async with settled.unit() as unit:
        soon, later = unit.now + timedelta(days=10), unit.now + timedelta(days=20)
    akim = await appoint(AKIM, until=soon)
    operator = await appoint(OPERATOR, until=soon)
    async with settled.unit() as unit:
        unit.actor = akim
        assert await appointments.longest(unit, OKRUG) == soon
        for wanted, got in ((None, soon), (later, soon), (soon, soon)):
            made = await appointments.offer(unit, CLERK, OKRUG, until=wanted)
            assert made.view.until == got
        unit.actor = operator
        made = await appointments.offer(unit, AKIM, OKRUG, until=later)
        assert made.view.until == later, "an akim stays longer than the operator"


async def test_who_lost_the_role_gives_none_away(
    settled: TestDatabase, appoint: Appoint, settle: Settler
) -> None:
    """An invitation made before is worth nothing when its inviter is no akim any more."""
    akim = await appoint(AKIM)
    person, _ = await settle()
    async with settled.unit() as unit:
        unit.actor = akim
        made = await appointments.offer(unit, CLERK, OKRUG, powers=[Power.SEND])
        await roles.revoke(unit, akim, AKIM, OKRUG)
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-invitation-inviter"):
            await roles.redeem(unit, person, made.code)


async def test_ones_own_invitation_is_for_somebody_else(
    settled: TestDatabase, appoint: Appoint, settle: Settler
) -> None:
    akim = await appoint(AKIM)
    person, _ = await settle()
    async with settled.unit() as unit:
        unit.actor = akim
        made = await appointments.offer(unit, CLERK, OKRUG, powers=[Power.SEND])
        with pytest.raises(Refused, match="refused-invitation-own"):
            await roles.redeem(unit, akim, made.code)
        done = await roles.redeem(unit, person, made.code)
        granted_by = await unit.session.scalar(
            text("SELECT granted_by FROM role WHERE id = :id"), {"id": done.role_id}
        )
    assert done.inviter == granted_by == akim


async def test_withdrawn_once_and_worth_nothing(
    settled: TestDatabase, appoint: Appoint, settle: Settler
) -> None:
    akim = await appoint(AKIM)
    person, _ = await settle()
    async with settled.unit() as unit:
        unit.actor = akim
        made = await appointments.offer(unit, CLERK, OKRUG, powers=[Power.SEND])
        [offer] = await appointments.open_offers(unit, OKRUG)
        assert await appointments.withdraw(unit, offer.id) == OKRUG
        assert await appointments.withdraw(unit, offer.id) is None
        assert await appointments.offer_of(unit, offer.id) is None
        assert await appointments.open_offers(unit, OKRUG) == []
        with pytest.raises(Refused, match="refused-invitation-withdrawn"):
            await roles.redeem(unit, person, made.code)


async def test_withdrawn_and_redeemed_at_the_same_moment(
    settled: TestDatabase, appoint: Appoint, settle: Settler
) -> None:
    """One of the two happens, never both."""
    akim = await appoint(AKIM)
    person, _ = await settle()
    async with settled.unit() as unit:
        unit.actor = akim
        made = await appointments.offer(unit, CLERK, OKRUG, powers=[Power.SEND])
        [offer] = await appointments.open_offers(unit, OKRUG)

    async def take() -> bool:
        async with settled.unit() as unit:
            try:
                await roles.redeem(unit, person, made.code)
            except Refused:
                return False
            return True

    async def back() -> bool:
        async with settled.unit() as unit:
            unit.actor = akim
            return await appointments.withdraw(unit, offer.id) is not None

    assert sorted(await asyncio.gather(take(), back())) == [False, True]


async def test_a_role_taken_twice_at_the_same_moment_is_taken_once(
    settled: TestDatabase, appoint: Appoint
) -> None:
    akim, clerk = await appoint(AKIM), await appoint(CLERK)
    async with settled.unit() as unit:
        role = await role_of(unit, clerk)

    async def take() -> str:
        async with settled.unit() as unit:
            unit.actor = akim
            try:
                await appointments.dismiss(unit, role)
            except Refused as refused:
                return refused.reason
            return "taken"

    assert sorted(await asyncio.gather(take(), take())) == ["refused-role-gone", "taken"]
    async with settled.session() as session:
        by = await session.scalar(text("SELECT revoked_by FROM role WHERE id = :id"), {"id": role})
    assert by == akim


async def test_below_counts_what_lies_deeper(settled: TestDatabase, appoint: Appoint) -> None:
    supervisor = await appoint(SUPERVISOR, DISTRICT)
    await appoint(AKIM, OKRUG)
    await appoint(DEPUTY, VILLAGE)
    await appoint(AKIM, OTHER_OKRUG)
    async with settled.unit() as unit:
        unit.actor = supervisor
        counts = {place.code: held for place, held in await appointments.below(unit, DISTRICT)}
    assert (counts[OKRUG], counts[OTHER_OKRUG]) == (2, 1)
    assert sum(counts.values()) == 3


async def test_a_term_is_over_once(settled: TestDatabase, appoint: Appoint) -> None:
    async with settled.unit() as unit:
        until = unit.now + timedelta(days=1)
    clerk = await appoint(CLERK, until=until)
    async with settled.unit() as unit:
        role = await role_of(unit, clerk)
        assert await appointments.over(unit, role) is None, "not yet"
    settled.clock.offset += timedelta(days=1)
    async with settled.unit() as unit:
        assert (await appointments.over(unit, role)).resident == clerk  # type: ignore[union-attr]
        assert await appointments.over(unit, role) is None
