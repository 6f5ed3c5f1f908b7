"""`zhiyn invite`, `zhiyn roles`, `zhiyn rulebook`: what the operator types and reads."""

import json
from datetime import UTC, date, datetime

import pytest
from support.command import zhiyn
from support.people import one, rows, settled
from support.world import OKRUG, World

from core.clock import end_of
from services import roles
from services.roles import RoleName

ACT = "Решение Кызылжарского районного мәслихата от 12.03.2024 № 15/3"


async def test_an_invitation_with_a_term_and_powers(world: World) -> None:
    ran = await zhiyn(
        world.db,
        *("invite", "--role", "clerk", "--place", OKRUG, "--json"),
        *("--until", "2029-09-01", "--powers", "send,report"),
    )
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    code = said["code"].removeprefix("i_")
    assert said["telegram"].endswith(said["code"])
    assert said["whatsapp"].endswith(said["code"])
    assert datetime.fromisoformat(said["valid_until"]) > datetime.now(UTC)
    (stored,) = await rows(world.db, "SELECT role_until, powers, created_by FROM invitation")
    assert stored.role_until == end_of(date(2029, 9, 1))
    assert (sorted(stored.powers), stored.created_by) == (["report", "send"], None)
    petr = await settled(world, "petr")
    async with world.db.unit() as unit:
        assert (await roles.redeem(unit, petr.resident, code)).view.role is RoleName.CLERK


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--role", "king", "--place", OKRUG), "--role: one of akim"),
        (("--role", "akim", "--place", "1"), "no place 1"),
        (("--role", "akim", "--place", OKRUG, "--until", "soon"), "--until:"),
        (("--role", "clerk", "--place", OKRUG, "--powers", "fly"), "no fly; there are: send"),
    ],
)
async def test_an_invitation_that_cannot_be_made(
    world: World, words: tuple[str, ...], says: str
) -> None:
    ran = await zhiyn(world.db, "invite", *words)
    assert ran.code != 0
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1, "one clear line"
    assert await one(world.db, "SELECT count(*) FROM invitation") == 0


async def test_roles_are_listed_and_taken(world: World) -> None:
    """Names shortened, unused invitations too; who lost the role is told by the messenger."""
    akim = await settled(world, "akim", role=RoleName.AKIM, name="Иванов Пётр Ильич")
    async with world.db.unit() as unit:
        await roles.invite(unit, RoleName.DEPUTY, "595000000")
    ran = await zhiyn(world.db, "roles", "list", "--json")
    found = json.loads(ran.out)
    (role,), (offer,) = found["roles"], found["invitations"]
    assert (role["role"], role["place"], role["who"]) == ("akim", OKRUG, "Иванов П.")
    assert (offer["role"], offer["place"]) == ("deputy", "595000000")
    below = await zhiyn(world.db, "roles", "list", "--place", OKRUG)
    assert role["id"] in below.out
    assert "deputy" not in below.out
    assert (await zhiyn(world.db, "roles", "list", "--place", "595030000")).out == (
        "Nobody holds a role here.\n"
    )
    taken = await zhiyn(world.db, "roles", "revoke", role["id"])
    assert (taken.code, "Taken: akim" in taken.out) == (0, True)
    world.app.wake()
    await world.emulator.wait_for(akim.id, "С вас снята роль: Аким")
    void = await zhiyn(world.db, "roles", "revoke", offer["id"])
    assert "Void" in void.out
    for gone in (role["id"], offer["id"], "nonsense"):
        again = await zhiyn(world.db, "roles", "revoke", gone)
        assert again.code != 0
        assert gone in again.err
    noted = await rows(world.db, "SELECT action FROM audit ORDER BY id")
    assert {"roles-seen", "role-revoked", "invitation-withdrawn"} <= {row.action for row in noted}


async def test_a_rule_is_set_shown_and_taken_back(world: World) -> None:
    done = await zhiyn(
        world.db, "rulebook", "set", "move-cooling-off", "30", "--place", OKRUG, "--act", ACT
    )
    assert done.code == 0, done.err
    shown = await zhiyn(world.db, "rulebook", "show", "--place", "595041100", "--json")
    (rule,) = [one for one in json.loads(shown.out) if one["rule"] == "move-cooling-off"]
    assert (rule["value"], rule["unit"], rule["default"]) == ("30", "calendar days", "90")
    assert (rule["decided_at"], rule["act"]) == (OKRUG, ACT)
    table = await zhiyn(world.db, "rulebook", "show", "move-cooling-off", "--place", OKRUG)
    for part in ("move-cooling-off", "30 calendar days", "15/3", "90", "[ours]"):
        assert part in table.out
    back = await zhiyn(
        world.db, "rulebook", "unset", "move-cooling-off", "--place", OKRUG, "--act", ACT
    )
    assert back.code == 0, back.err
    history = await zhiyn(
        world.db, "rulebook", "show", "move-cooling-off", "--place", OKRUG, "--history"
    )
    newest, first = history.out.splitlines()
    assert newest.startswith("back to the value from above")
    assert first.startswith("30 ")
    assert "in force" in newest


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set", "move-coolingoff", "3", "--act", ACT), "did you mean move-cooling-off?"),
        (("show", "--place", "12"), "no place 12"),
        (("show", "--history"), "of which rule?"),
    ],
)
async def test_a_rule_that_cannot_be_set(world: World, words: tuple[str, ...], says: str) -> None:
    ran = await zhiyn(world.db, "rulebook", *words)
    assert ran.code != 0
    assert says.casefold() in ran.err.casefold()
    assert len(ran.err.splitlines()) == 1
