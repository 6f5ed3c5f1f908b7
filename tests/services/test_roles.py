"""Roles: granted once by an invitation, valid at the place and below it, checked in the service."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from services import roles, rulebook
from services.roles import MAY_SEND_NOTICES, Power, RoleName
from services.unit import Refused
from tests.services.conftest import Settler

OKRUG, OTHER_OKRUG, DISTRICT, OBLAST = "595041000", "595030000", "595000000", "590000000"


async def test_a_code_is_readable_and_not_stored(settled: TestDatabase) -> None:
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    assert len(code) == 12
    assert not set(code) & set("O0I1")
    async with settled.session() as session:
        row = (await session.execute(text("SELECT invitation::text FROM invitation"))).scalar_one()
    assert code not in row
    assert code.encode().hex() not in row


@pytest.mark.parametrize("place", ["000000000", ""])
async def test_no_invitation_to_nowhere(settled: TestDatabase, place: str) -> None:
    async with settled.unit() as unit:
        with pytest.raises(LookupError):
            await roles.invite(unit, RoleName.AKIM, place)


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower"])
async def test_redeemed(settled: TestDatabase, settle: Settler, typed: str) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.CLERK, OKRUG)
        given = code.lower() if typed == "lower" else typed.format(code)
        assert (await roles.redeem(unit, person, given)).view.role is RoleName.CLERK
        [view] = await roles.standing(unit, person)
    assert (view.role, view.place_code, view.until) == (RoleName.CLERK, OKRUG, None)


async def test_the_second_use_grants_nothing(settled: TestDatabase, settle: Settler) -> None:
    (first, _), (second, _) = await settle(), await settle()
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
        await roles.redeem(unit, first, code)
        for person, why in ((first, "yours"), (second, "used")):
            with pytest.raises(Refused, match=f"refused-invitation-{why}"):
                await roles.redeem(unit, person, code)
        assert await roles.standing(unit, second) == []


async def test_two_at_the_same_moment_are_one(settled: TestDatabase, settle: Settler) -> None:
    people = [(await settle())[0] for _ in range(4)]
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)

    async def tries(person: object) -> bool:
        async with settled.unit() as unit:
            try:
                await roles.redeem(unit, person, code)  # type: ignore[arg-type]
            except Refused:
                return False
            return True

    assert sorted(await asyncio.gather(*map(tries, people))) == [False, False, False, True]


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (timedelta(days=7) - timedelta(seconds=1), None),
        (timedelta(days=7), "refused-invitation-expired"),
        (timedelta(days=400), "refused-invitation-expired"),
    ],
)
async def test_an_invitation_lasts_seven_days(
    settled: TestDatabase, settle: Settler, after: timedelta, reason: str | None
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    settled.clock.offset += after
    async with settled.unit() as unit:
        if reason is None:
            await roles.redeem(unit, person, code)
            return
        with pytest.raises(Refused, match=reason):
            await roles.redeem(unit, person, code)
        assert unit.audit_rows[-1].action == "invitation-refused"


async def test_an_unknown_code(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-invitation-unknown"):
            await roles.redeem(unit, person, "AAAABBBBCCCC")


@pytest.mark.parametrize(
    ("held", "at", "allowed"),
    [
        pytest.param(OKRUG, OKRUG, True, id="at the place"),
        pytest.param(OKRUG, "595041100", True, id="at a village of it"),
        pytest.param(DISTRICT, OKRUG, True, id="held above"),
        pytest.param(OBLAST, "595041100", True, id="held far above"),
        pytest.param(OKRUG, OTHER_OKRUG, False, id="at a neighbour"),
        pytest.param(OKRUG, "595030100", False, id="at a neighbour's village"),
        pytest.param(OKRUG, DISTRICT, False, id="above"),
        pytest.param("595041100", OKRUG, False, id="held in a village only"),
        pytest.param(OKRUG, "", False, id="nowhere"),
        pytest.param(OKRUG, "000000000", False, id="at an unknown place"),
    ],
)
async def test_where_a_role_holds(
    settled: TestDatabase, settle: Settler, held: str, at: str, allowed: bool
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, held)
        if allowed:
            view = await roles.require(unit, person, MAY_SEND_NOTICES, at)
            assert view.place_code == held
            return
        with pytest.raises(Refused, match="refused-role"):
            await roles.require(unit, person, MAY_SEND_NOTICES, at)
        assert unit.audit_rows[-1].action == "role-missing"


@pytest.mark.parametrize("role", [RoleName.DEPUTY, RoleName.SUPERVISOR, RoleName.OPERATOR, None])
async def test_another_role_or_none_is_not_enough(
    settled: TestDatabase, settle: Settler, role: RoleName | None
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        if role:
            await roles.grant(unit, person, role, OKRUG)
        for who in (person, None):
            with pytest.raises(Refused):
                await roles.require(unit, who, MAY_SEND_NOTICES, OKRUG)


async def test_a_role_that_ended_is_none(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        assert await roles.revoke(unit, person, RoleName.AKIM, OKRUG)
        assert not await roles.revoke(unit, person, RoleName.AKIM, OKRUG)
        assert await roles.standing(unit, person) == []
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        assert len(await roles.standing(unit, person)) == 1


async def test_a_role_with_a_term(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        await unit.session.execute(
            text("UPDATE role SET until = :until"), {"until": unit.now + timedelta(days=1)}
        )
        assert len(await roles.standing(unit, person)) == 1
    settled.clock.offset += timedelta(days=1)
    async with settled.unit() as unit:
        assert await roles.standing(unit, person) == []


async def test_a_role_that_ended_is_said_to_have_ended(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        await roles.revoke(unit, person, RoleName.AKIM, OKRUG)
        with pytest.raises(Refused, match="refused-role-ended"):
            await roles.require(unit, person, MAY_SEND_NOTICES, OKRUG)
        with pytest.raises(Refused, match=r"refused-role$"):
            await roles.require(unit, person, MAY_SEND_NOTICES, OTHER_OKRUG)


async def test_a_role_whose_term_is_over_can_be_given_again(
    settled: TestDatabase, settle: Settler
) -> None:
    """Before, the row of the old term stood in the way, and nothing was granted."""
    person, _ = await settle()
    async with settled.unit() as unit:
        until = unit.now + timedelta(days=1)
        first = await roles.grant(unit, person, RoleName.AKIM, OKRUG, until=until)
    settled.clock.offset += timedelta(days=1)
    async with settled.unit() as unit:
        second = await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        assert second != first
        [view] = await roles.standing(unit, person)
    assert view.until is None


@pytest.mark.parametrize("power", Power)
async def test_a_clerk_does_what_was_delegated(
    settled: TestDatabase, settle: Settler, power: Power
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.CLERK, OKRUG, powers=[Power.CORRECT])
        if power is Power.CORRECT:
            await roles.require(unit, person, MAY_SEND_NOTICES, OKRUG, power)
            return
        with pytest.raises(Refused, match="refused-role-power"):
            await roles.require(unit, person, MAY_SEND_NOTICES, OKRUG, power)
        assert unit.audit_rows[-1].action == "role-missing"


async def test_an_invitation_carries_term_and_powers(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        until = unit.now + timedelta(days=100)
        code = await roles.invite(unit, RoleName.CLERK, OKRUG, until=until, powers=[Power.REPORT])
        done = await roles.redeem(unit, person, code)
        [view] = await roles.standing(unit, person)
    assert view == done.view
    assert (view.until, view.powers) == (until, {Power.REPORT})
    assert (done.inviter, done.renewed) == (None, False)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"role": RoleName.AKIM, "powers": [Power.SEND]}, id="powers of an akim"),
        pytest.param({"role": RoleName.CLERK, "powers": []}, id="a clerk without any"),
        pytest.param({"role": RoleName.AKIM, "until": timedelta()}, id="over at once"),
    ],
)
async def test_an_invitation_that_makes_no_sense(settled: TestDatabase, given: dict) -> None:
    async with settled.unit() as unit:
        if "until" in given:
            given = given | {"until": unit.now}
        role = given.pop("role")
        with pytest.raises(roles.RoleWrong):
            await roles.invite(unit, role, OKRUG, **given)


async def test_the_role_of_an_invitation_may_be_over_before_it_is_taken(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        until = unit.now + timedelta(days=2)
        code = await roles.invite(unit, RoleName.AKIM, OKRUG, until=until)
    settled.clock.offset += timedelta(days=2)
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-invitation-term"):
            await roles.redeem(unit, person, code)


async def test_an_invitation_to_a_place_that_is_no_more(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
        await unit.session.execute(
            text("UPDATE place SET abolished_at = :now WHERE code = :code"),
            {"now": unit.now, "code": OKRUG},
        )
        with pytest.raises(Refused, match="refused-invitation-place"):
            await roles.redeem(unit, person, code)
        with pytest.raises(LookupError):
            await roles.invite(unit, RoleName.AKIM, OKRUG)


async def test_a_role_that_is_held_is_renewed_or_left(
    settled: TestDatabase, settle: Settler
) -> None:
    """The same again spends no invitation; another term takes the place of the old one."""
    person, _ = await settle()
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
        with pytest.raises(Refused, match="refused-invitation-held"):
            await roles.redeem(unit, person, code)
        used = await unit.session.scalar(text("SELECT count(used_at) FROM invitation"))
        assert used == 0
        until = unit.now + timedelta(days=30)
        longer = await roles.invite(unit, RoleName.AKIM, OKRUG, until=until)
        done = await roles.redeem(unit, person, longer)
        [view] = await roles.standing(unit, person)
    assert (done.renewed, view.until) == (True, until)


async def test_the_rulebook_says_how_long_an_invitation_lasts(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        await rulebook.decide(unit, "invitation-term", "2", OKRUG, "Решение № 1")
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    settled.clock.offset += timedelta(days=2)
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-invitation-expired"):
            await roles.redeem(unit, person, code)


async def test_granting_twice_is_granting_once(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        for _ in range(2):
            await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        assert len(await roles.standing(unit, person)) == 1
