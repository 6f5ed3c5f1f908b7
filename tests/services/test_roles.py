"""Roles: granted once by an invitation, valid at the place and below it, checked in the service."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from services import roles
from services.roles import MAY_SEND_NOTICES, RoleName
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
        assert (await roles.redeem(unit, person, given)).role is RoleName.CLERK
        [view] = await roles.standing(unit, person)
    assert (view.role, view.place_code, view.until) == (RoleName.CLERK, OKRUG, None)


async def test_the_second_use_grants_nothing(settled: TestDatabase, settle: Settler) -> None:
    (first, _), (second, _) = await settle(), await settle()
    async with settled.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
        await roles.redeem(unit, first, code)
        for person in (first, second):
            with pytest.raises(Refused, match="refused-invitation-used"):
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


async def test_granting_twice_is_granting_once(settled: TestDatabase, settle: Settler) -> None:
    person, _ = await settle()
    async with settled.unit() as unit:
        for _ in range(2):
            await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        assert len(await roles.standing(unit, person)) == 1
