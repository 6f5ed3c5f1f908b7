"""An invitation used twice, by two at once, too late, by somebody it was forwarded to."""

import asyncio
from datetime import timedelta

import pytest
from support.faults import PATIENCE, chain_holds, nothing_left
from support.people import (
    Somebody,
    address_of,
    another_process,
    move_clock,
    one,
    rows,
    settled,
    words,
)
from support.wire import post_telegram, post_twilio, telegram_text, twilio_form
from support.world import OKRUG, World

from services import roles
from services.roles import RoleName

ROLES = "SELECT resident_id FROM role WHERE revoked_at IS NULL"


async def invitation(world: World) -> str:
    async with world.db.unit() as unit:
        return await roles.invite(unit, RoleName.AKIM, OKRUG)


async def two_people(world: World) -> tuple[Somebody, Somebody]:
    """One on each messenger, reading another language each."""
    return (
        await settled(world, "petr", language="ru"),
        await settled(world, "aigul", "whatsapp", language="kk"),
    )


async def test_at_the_same_moment_by_two(world: World) -> None:
    """Two people, two messengers, two processes: one has the role, the other is told why not."""
    emulator, db = world.emulator, world.db
    petr, aigul = await two_people(world)
    code = await invitation(world)
    update = telegram_text(emulator.person("petr"), 7001, f"/start i_{code}")
    form = twilio_form(emulator.person("aigul"), "SM" + "1" * 32, Body=f"Жиын i_{code}")
    async with another_process(db, world.app) as second:
        statuses = await asyncio.gather(
            post_telegram(world.url, update),
            post_twilio(address_of(second), form, public=world.url),
            post_telegram(address_of(second), update),
            post_twilio(world.url, form),
        )
        await nothing_left(db)
    assert statuses == [200] * 4
    (holder,) = await rows(db, ROLES)
    winner, loser = ("petr", "aigul") if holder.resident_id == petr.resident else ("aigul", "petr")
    assert holder.resident_id in (petr.resident, aigul.resident)
    said = {"petr": "ru", "aigul": "kk"}
    await emulator.wait_for(winner, words(said[winner], "role-granted"), timeout=PATIENCE)
    used = words(said[loser], "refused-invitation-used")
    await emulator.wait_for(loser, used, timeout=PATIENCE)
    counts = {
        action: await one(db, "SELECT count(*) FROM audit WHERE action = :a", a=action)
        for action in ("role-granted", "invitation-redeemed", "invitation-refused")
    }
    assert counts == {"role-granted": 1, "invitation-redeemed": 1, "invitation-refused": 1}
    await chain_holds(db)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_twice_by_one_person(world: World, channel: str) -> None:
    """A trembling thumb at two processes: one role, and a word that it is theirs already."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr", channel)
    code = await invitation(world)
    person = emulator.person("petr")
    async with another_process(db, world.app) as second:
        urls = [world.url, address_of(second)] * 2
        if channel == "telegram":
            posts = [
                post_telegram(url, telegram_text(person, 7001 + n, f"/start i_{code}"))
                for n, url in enumerate(urls)
            ]
        else:
            posts = [
                post_twilio(
                    url, twilio_form(person, f"SM{n:032d}", Body=f"i_{code}"), public=world.url
                )
                for n, url in enumerate(urls)
            ]
        assert await asyncio.gather(*posts) == [200] * 4
        await nothing_left(db)
    assert len(await rows(db, ROLES)) == 1
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'role-granted'") == 1
    heard = "\n".join(emulator.texts("petr"))
    assert words("ru", "role-granted") in heard
    assert words("ru", "refused-invitation-yours") in heard


async def test_forwarded_after_it_was_used(world: World) -> None:
    """Whoever finds it in somebody's chat gets nothing; the attempt is in the trail."""
    emulator, db = world.emulator, world.db
    petr, _ = await two_people(world)
    code = await invitation(world)
    links = world.app.engine.links.starts(f"i_{code}")
    emulator.start_bot("petr", f"i_{code}")
    await emulator.wait_for("petr", words("ru", "role-granted"))
    emulator.open_link("aigul", links["whatsapp"])
    emulator.say("aigul", emulator.chat_state("aigul").draft)
    await emulator.wait_for("aigul", words("kk", "refused-invitation-used"))
    stranger = emulator.add_person("stranger", "Бөтен", "telegram")
    emulator.start_bot("stranger", f"i_{code}")
    await emulator.wait_for("stranger", words("kk", "first-contact"))
    emulator.tap("stranger", "Русский")
    await emulator.wait_for("stranger", words("ru", "refused-invitation-used"))
    assert stranger.telegram_id
    (holder,) = await rows(db, ROLES)
    assert holder.resident_id == petr.resident
    refused = await rows(db, "SELECT details FROM audit WHERE action = 'invitation-refused'")
    assert [row.details["reason"] for row in refused] == ["refused-invitation-used"] * 2


async def test_forwarded_before_it_was_used(world: World) -> None:
    """It is for whoever comes first, once; whom it was meant for learns that it is gone."""
    emulator, db = world.emulator, world.db
    petr, aigul = await two_people(world)
    code = await invitation(world)
    emulator.say("aigul", f"i_{code}")
    await emulator.wait_for("aigul", words("kk", "role-granted"))
    emulator.start_bot("petr", f"i_{code}")
    await emulator.wait_for("petr", words("ru", "refused-invitation-used"))
    assert [row.resident_id for row in await rows(db, ROLES)] == [aigul.resident]
    assert await one(db, "SELECT used_by FROM invitation") == aigul.resident
    async with db.unit() as unit:  # the operator takes it back and invites anew
        assert await roles.revoke(unit, aigul.resident, RoleName.AKIM, OKRUG)
    again = await invitation(world)
    emulator.start_bot("petr", f"i_{again}")
    await emulator.wait_for("petr", words("ru", "role-granted"))
    assert [row.resident_id for row in await rows(db, ROLES)] == [petr.resident]


async def test_expired(world: World) -> None:
    """The day after its term: refused on both messengers, in both languages, and not used up."""
    emulator, db = world.emulator, world.db
    await two_people(world)
    code = await invitation(world)
    term = await one(db, "SELECT expires_at - created_at FROM invitation")
    await move_clock(db, [world.app], term + timedelta(seconds=1))
    emulator.start_bot("petr", f"i_{code}")
    emulator.say("aigul", f"Жиын i_{code}")
    await emulator.wait_for("petr", words("ru", "refused-invitation-expired"))
    await emulator.wait_for("aigul", words("kk", "refused-invitation-expired"))
    assert await rows(db, ROLES) == []
    assert await one(db, "SELECT used_at FROM invitation") is None
    refused = await rows(db, "SELECT details FROM audit WHERE action = 'invitation-refused'")
    assert [row.details["reason"] for row in refused] == ["refused-invitation-expired"] * 2
