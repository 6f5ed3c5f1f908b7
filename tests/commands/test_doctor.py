"""`zhiyn doctor`: each thing that can be wrong has its line and says what to do."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiogram import Bot
from sqlalchemy import text
from support.command import zhiyn
from support.database import SECRET, TestDatabase, until
from support.people import move_clock, one, send_notice, settled
from support.world import SENDER, TOKEN, WEBHOOK_SECRET, World

from bot import doctor_channels
from bot.channels.telegram import make_bot
from bot.doctor import examine, lines
from core.settings import Settings
from services.roles import RoleName

Json = dict[str, Any]


async def checks(world: World, **changed: object) -> dict[str, Json]:
    """Every line by its name."""
    settings = world.app.settings.model_copy(update=changed)
    found = await examine(world.db.database, settings, replay=False)
    assert found["healthy"] == all(one["state"] != "fault" for one in found["checks"])
    return {one["name"]: one for one in found["checks"]}


async def leads(world: World) -> None:
    """Somebody runs the clock."""

    async def leading() -> bool:
        return (await checks(world))["leader"]["state"] == "ok"

    await until(leading)


async def test_all_is_well(world: World) -> None:
    await leads(world)
    found = await checks(world)
    assert {name: one["found"] for name, one in found.items() if one["state"] == "fault"} == {}
    assert found["telegram"]["found"] == "@zhiyn_bot, webhook, 0 updates waiting"
    assert found["twilio account"]["found"] == "active"
    assert found["whatsapp sender"]["found"] == "online"
    assert "notice kk: not made yet" in found["whatsapp templates"]["found"]
    assert found["machine clock"]["found"] == "right"
    assert found["messages"]["found"] == "none waiting"


async def test_as_the_operator_runs_it(world: World) -> None:
    await leads(world)
    settings = world.app.settings
    given = {
        "PUBLIC_URL": str(settings.public_url),
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "TELEGRAM_API_URL": world.emulator.base,
        "TWILIO_API_URL": world.emulator.base,
        "TWILIO_ACCOUNT_SID": str(settings.twilio_account_sid),
        "TWILIO_AUTH_TOKEN": str(settings.twilio_auth_token),
        "TWILIO_WHATSAPP_FROM": SENDER,
    }
    ran = await zhiyn(world.db, "doctor", **given)
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.splitlines()[-1] == "Healthy."
    assert TOKEN not in ran.out + ran.err
    ran = await zhiyn(world.db, "doctor", "--json", **given | {"TWILIO_AUTH_TOKEN": "wrong"})
    found = json.loads(ran.out)
    assert (ran.code, found["healthy"]) == (1, False)
    assert [one["name"] for one in found["checks"] if one["state"] == "fault"] == ["twilio account"]


@pytest.mark.parametrize(
    ("switches", "name", "state", "says"),
    [
        ({"account_status": "suspended"}, "twilio account", "fault", "suspended"),
        ({"account_type": "Trial"}, "twilio account", "look", "trial"),
        ({"sender_status": "OFFLINE"}, "whatsapp sender", "fault", "offline"),
    ],
)
async def test_what_twilio_says(
    world: World, switches: Mapping[str, str], name: str, state: str, says: str
) -> None:
    world.emulator.switches.change(dict(switches))
    found = (await checks(world))[name]
    assert (found["state"], says in found["found"], bool(found["advice"])) == (state, True, True)


@pytest.mark.parametrize(
    ("changed", "name", "state", "says"),
    [
        ({"telegram_token": "4242:BBanother-token-nobody-knows"}, "telegram", "fault", "refuses"),
        ({"telegram_api_url": "http://127.0.0.1:9"}, "telegram", "fault", "does not answer"),
        ({"twilio_api_url": "http://127.0.0.1:9"}, "twilio account", "fault", "does not answer"),
        ({"twilio_auth_token": "x"}, "twilio account", "fault", "HTTP 401"),
        ({"twilio_account_sid": "AC" + "2" * 32}, "twilio account", "fault", "HTTP 40"),
        ({"twilio_whatsapp_from": "whatsapp:+77009990000"}, "whatsapp sender", "fault", "none of"),
        ({"twilio_whatsapp_from": "whatsapp:+77009990000"}, "accounts", "look", "not those"),
        ({"public_url": "https://elsewhere.kz"}, "telegram", "fault", "webhook at 127.0.0.1"),
        ({"public_url": "https://elsewhere.kz"}, "whatsapp sender", "look", "webhook at 127.0.0.1"),
        ({"telegram_mode": "polling"}, "telegram", "fault", "a webhook is set to 127.0.0.1"),
        ({"telegram_webhook_secret": None}, "settings", "fault", "TELEGRAM_WEBHOOK_SECRET"),
        ({"secret_key": "z" * 40}, "keys", "fault", "does not open"),
    ],
)
async def test_settings_that_do_not_fit(
    world: World, changed: Mapping[str, object], name: str, state: str, says: str
) -> None:
    found = (await checks(world, **changed))[name]
    assert (found["state"], bool(found["advice"])) == (state, True), found
    assert says in found["found"]


async def test_a_webhook_that_somebody_else_set(world: World) -> None:
    """While we poll and a process runs: somebody else has the token."""
    await leads(world)
    found = (await checks(world, telegram_mode="polling"))["telegram"]
    assert "/revoke" in found["advice"]
    bot: Bot = make_bot(TOKEN, world.emulator.base)
    try:
        await bot.delete_webhook()
        found = (await checks(world, telegram_mode="polling"))["telegram"]
        assert (found["state"], "polling" in found["found"]) == ("ok", True)
        found = (await checks(world))["telegram"]
        assert (found["state"], "no webhook" in found["found"]) == ("fault", True)
    finally:
        await bot.session.close()


async def test_updates_that_wait_and_a_delivery_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = {"url": f"{world.url}/telegram", "pending_update_count": 5000}
    asked = doctor_channels.Messengers.ask

    async def answers(self: Any, url: str, login: Any = None) -> Any:
        if url.endswith("getWebhookInfo"):
            return doctor_channels._Answer(200, {"ok": True, "result": hook}, None)
        return await asked(self, url, login)

    monkeypatch.setattr(doctor_channels.Messengers, "ask", answers)
    found = (await checks(world))["telegram"]
    assert (found["state"], "5000 updates waiting" in found["found"]) == ("look", True)
    hook |= {"last_error_date": 1_000_000_000, "last_error_message": "Connection refused"}
    assert "Connection refused" not in (await checks(world))["telegram"]["found"], "long ago"
    hook["last_error_date"] = int(world.db.clock.now().timestamp())
    found = (await checks(world))["telegram"]
    assert (found["state"], "Connection refused" in found["found"]) == ("look", True)


async def test_templates_by_their_approval(world: World) -> None:
    """Made and approved, then paused by WhatsApp."""
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await settled(world, "petr", "whatsapp", window=False, phone="+77015550001")
    await send_notice(world, akim)
    await world.emulator.wait_for("petr", "Ремонт водопровода")
    told = (await checks(world))["whatsapp templates"]
    assert "notice ru: approved" in told["found"]
    assert told["state"] == "look", "the others are not made yet"
    sid = await one(world.db, "SELECT sid FROM content_template WHERE kind = 'notice'")
    world.emulator.contents.all[sid].approval["status"] = "paused"
    told = (await checks(world))["whatsapp templates"]
    assert (told["state"], "notice ru: paused" in told["found"]) == ("fault", True)


@pytest.mark.parametrize("step", ["content.create", "approval.create"])
async def test_templates_that_twilio_refuses(world: World, step: str) -> None:
    """Not made, or not submitted: the code says what to look for."""
    refusal = {"code": 20001, "message": "No WhatsApp Business Account", "status": 400}
    world.emulator.fault(step, times=100, status=400, body=refusal)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await settled(world, "petr", "whatsapp", window=False, phone="+77015550001")
    await send_notice(world, akim)
    waits = "SELECT count(*) FROM delivery WHERE waiting_for = 'template-unavailable'"

    async def refused() -> bool:
        return bool(await one(world.db, waits))

    await until(refused, 30)
    told = (await checks(world))["whatsapp templates"]
    assert (told["state"], "notice ru: refused (20001)" in told["found"]) == ("fault", True)


async def test_a_clock_that_is_wrong(world: World) -> None:
    told = doctor_channels._machine_clock
    now = world.db.clock.now()
    for seconds, state in ((0, "ok"), (3, "ok"), (20, "look"), (-300, "fault")):
        there = (now - timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        [check] = told(there)
        assert check.state == state, seconds
    assert told(None) == told("yesterday") == []


async def test_what_nobody_does(world: World) -> None:
    """No leader, messages and due rows that should be done, a clock of the demo."""
    await leads(world)
    await settled(world, "petr")
    for loop in world.app._loops():
        loop.stop()
    db = world.db

    async def nobody() -> bool:
        return (await checks(world))["leader"]["state"] == "fault"

    await until(nobody)
    async with db.session() as session:
        for statement in (
            "INSERT INTO message (id, language, content, created_at)"
            " SELECT gen_random_uuid(), 'ru', '', :then",
            "INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before,"
            " created_at) SELECT gen_random_uuid(), m.id, a.id, a.account_id, 0, :then, :then"
            " FROM message AS m, address AS a",
            "INSERT INTO due (id, due_at, kind, key, object_id, details, created_at)"
            " SELECT gen_random_uuid(), :then, 'x', 'x', gen_random_uuid(), '{}', :then",
        ):
            await session.execute(text(statement), {"then": db.clock.now() - timedelta(hours=3)})
    found = await checks(world)
    assert "zhiyn serve" in found["leader"]["advice"]
    assert found["messages"]["found"].startswith("1 waiting, the oldest for 3 h")
    assert found["messages"]["state"] == found["due"]["state"] == "fault"
    async with db.session() as session:
        await session.execute(
            text("UPDATE due SET result = 'failed', done_at = :now"), {"now": db.clock.now()}
        )
        await session.execute(text("UPDATE delivery SET not_before = not_before + '1 day'"))
    found = await checks(world)
    assert (found["due"]["state"], found["due"]["found"]) == (
        "look",
        "1 given up in the last 30 days",
    )
    assert found["messages"]["state"] == "ok", "what waits for its moment is no fault"
    await move_clock(db, [world.app], timedelta(days=1))
    assert (await checks(world))["clock offset"]["state"] == "fault"


async def test_a_broken_audit_chain(world: World) -> None:
    await leads(world)
    async with world.db.unit() as unit:
        unit.audit("something")

    async def sealed() -> bool:
        return bool(await one(world.db, "SELECT count(*) FROM audit_seal"))

    await until(sealed)
    assert (await checks(world))["audit chain"]["state"] == "ok"
    async with world.db.session() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE audit SET action = 'else'"))
    assert (await checks(world))["audit chain"]["state"] == "fault"


async def test_without_any_messenger(db: TestDatabase) -> None:
    """Only what can be looked at is looked at; nothing is asked."""
    settings = Settings(_env_file=None, secret_key=SECRET)  # type: ignore[call-arg]
    found = await examine(db.database, settings, replay=False)
    names = [one["name"] for one in found["checks"]]
    assert not {"telegram", "twilio account", "machine clock"} & set(names)
    assert not found["healthy"]
    assert list(lines(found))[-1].startswith("Not healthy")
