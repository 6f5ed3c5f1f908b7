"""The real Twilio client over HTTP against the strict emulator: what arrives, what is answered."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from aiohttp import ClientResponseError, web
from channels.channel_support import DELIVERY, SECRET, SID, Callbacks, MemoryFiles, MemoryTemplates
from structlog.testing import capture_logs

from bot.channels.base import DownloadRefused
from bot.channels.telegram_render import TelegramPart
from bot.channels.twilio_client import make_client
from bot.channels.twilio_errors import outcome_of
from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp_inbound import parse_status, verify
from conversation.message import Button, Content, FileRef, Medium
from core.clock import FrozenClock
from core.languages import Language
from core.outcomes import Outcome, SendResult
from emulator.app import PIXEL, Emulator
from emulator.world import Person

KK, RU = Language.KK, Language.RU
PHOTO = FileRef(UUID(int=1), Medium.PHOTO, "image/png", "kopir.png")
PDF = FileRef(UUID(int=2), Medium.DOCUMENT, "application/pdf", "hattama.pdf")
READ = Button("1s.read.BBBB", "Оқыдым")
BODY = "Ертең су болмайды.\n\nАлдын ала құйып алыңыз: {{1}} \"шелек\" 'ыдыс' \\ 100%."
NOTICE = Content(KK, BODY, "📢 Әкім", "Су құбыры жөнделеді", (READ,))
ANNOUNCED = replace(NOTICE, template=("notice", "Бугров округі", "Су құбыры\nжөнделеді"))


@pytest.fixture
def marat(emulator: Emulator) -> Person:
    return emulator.add_person("marat", "Марат", "whatsapp", window_open=True)


@pytest.fixture
def closed(emulator: Emulator) -> Person:
    return emulator.add_person("closed", "Гүлнар", "whatsapp")


async def send(
    channel: WhatsAppChannel, to: Person, content: Content, window_open: bool = True
) -> list[SendResult]:
    target = to.address.removeprefix("whatsapp:")
    parts = await channel.prepare(content, window_open=window_open)
    return [await channel.send(target, part, DELIVERY) for part in parts]


@pytest.mark.parametrize("strict", [False, True])
async def test_a_notice_with_a_button(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, strict: bool
) -> None:
    emulator.switch(session_breaks_refused=strict)
    [result] = await send(whatsapp, marat, NOTICE)
    shown = emulator.last("marat")
    assert result == SendResult(Outcome.SENT, platform_id=shown.sid)
    assert shown.text == f"📢 Әкім\n*Су құбыры жөнделеді*\n{BODY}"
    assert shown.buttons == [[{"text": "Оқыдым", "id": "1s.read.BBBB"}]]
    assert emulator.counters.violations == []


async def test_a_list(emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person) -> None:
    choices = tuple(Button(f"1c.{n}", f"Қызылжар ауданы, {n}-ауыл") for n in range(10))
    content = Content(KK, "Қай ауыл?", choices=choices, list_label="Таңдау")
    [result] = await send(whatsapp, marat, content)
    assert result.outcome is Outcome.SENT
    listing = emulator.last("marat").listing
    assert listing is not None
    assert listing["button"] == "Таңдау"
    assert listing["items"][3] == {
        "id": "1c.3", "title": "Қызылжар ауданы, 3-ауыл", "description": "",
    }  # fmt: skip


async def test_a_shape_is_made_once(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, templates: MemoryTemplates
) -> None:
    await asyncio.gather(*(send(whatsapp, marat, NOTICE) for _ in range(3)))
    await send(whatsapp, marat, replace(NOTICE, body="Басқа.\n\nСөз.", language=KK))
    assert emulator.counters.calls["content.create"] == 1
    await send(whatsapp, marat, replace(NOTICE, language=RU))
    assert emulator.counters.calls["content.create"] == 2
    assert len(templates.made) == 2


async def test_another_process_was_faster(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, templates: MemoryTemplates
) -> None:
    await send(whatsapp, marat, NOTICE)
    [(slot, first)] = templates.made.items()
    whatsapp._known.clear()
    templates.made.clear()
    templates.rival = first.sid
    await send(whatsapp, marat, NOTICE)
    assert templates.made[slot].sid == first.sid
    assert len(emulator.received("marat")) == 2


async def test_a_resource_that_twilio_forgot_is_made_anew(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, templates: MemoryTemplates
) -> None:
    await send(whatsapp, marat, NOTICE)
    [slot] = templates.made
    emulator.contents.delete(templates.made[slot].sid)
    [result] = await send(whatsapp, marat, NOTICE)
    assert (result.outcome, result.detail) == (Outcome.TRANSIENT, "21655")
    [result] = await send(whatsapp, marat, NOTICE)
    assert result.outcome is Outcome.SENT


async def test_numbers_where_twilio_refuses_the_resource(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person
) -> None:
    body = {"code": 20001, "message": "Invalid parameter", "status": 400}
    emulator.fault("content.create", status=400, body=body)
    [result] = await send(whatsapp, marat, NOTICE)
    assert result.outcome is Outcome.SENT
    assert emulator.last("marat").text.endswith("100%.\n\n1 Оқыдым")


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"drop": "before"}, {"status": 503}])
async def test_a_resource_that_could_not_be_made_is_transient(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, fault: dict[str, Any]
) -> None:
    emulator.fault("content.create", **fault)
    [result] = await send(whatsapp, marat, NOTICE)
    assert result.outcome is Outcome.TRANSIENT
    assert emulator.received("marat") == []


async def test_long_text_comes_in_pieces(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person
) -> None:
    body = "\n\n".join(f"{n}. " + "сөз 😀 " * 90 for n in range(9))
    results = await send(whatsapp, marat, Content(KK, body))
    assert {result.outcome for result in results} == {Outcome.SENT}
    assert "".join("".join(emulator.texts("marat")).split()) == "".join(body.split())


async def test_status_callbacks_are_signed_and_name_the_delivery(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, callbacks: Callbacks
) -> None:
    [result] = await send(whatsapp, marat, NOTICE)
    await emulator.settle()
    told = []
    for url, form, signature in callbacks.taken:
        assert verify(SECRET, url, form, signature)
        update = parse_status(form, dict(parse_qsl(urlsplit(url).query)))
        assert update is not None
        assert (update.sid, update.delivery) == (result.platform_id, DELIVERY)
        told.append(update.status.value)
    assert told == ["queued", "sent", "delivered", "read"]


async def test_a_refusal_that_comes_by_callback(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, callbacks: Callbacks
) -> None:
    [result] = await send(whatsapp, closed, Content(KK, "Сәлем"))
    assert result.outcome is Outcome.SENT  # Twilio has taken it, WhatsApp will not
    await emulator.settle()
    update = parse_status(callbacks.taken[-1][1], {})
    assert update is not None
    assert (update.outcome, update.detail) == (Outcome.WINDOW_CLOSED, "63016")


async def test_somebody_without_a_phone_number(
    emulator: Emulator, whatsapp: WhatsAppChannel
) -> None:
    hidden = emulator.add_person("hidden", "Ж", "whatsapp", hidden=True, window_open=True)
    assert not hidden.address.startswith("whatsapp:+")
    [result] = await send(whatsapp, hidden, NOTICE)
    assert result.outcome is Outcome.SENT
    assert emulator.last("hidden").buttons


# outside the window -------------------------------------------------------------------------


async def test_outside_the_window_without_a_template_nothing_is_called(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person
) -> None:
    [result] = await send(whatsapp, closed, NOTICE, window_open=False)
    assert result == SendResult(Outcome.WINDOW_CLOSED)
    assert not emulator.counters.calls


async def test_an_approved_template_announces(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person
) -> None:
    for _ in range(2):
        [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED, result
    assert emulator.counters.violations == []
    shown = emulator.last("closed")
    assert result == SendResult(Outcome.ANNOUNCED, platform_id=shown.sid)
    assert (
        shown.text == "Әкімнен хабар (Бугров округі): Су құбыры жөнделеді. Толық оқу үшін басыңыз."
    )
    assert shown.buttons == [[{"text": "Оқу", "id": "1s.read.BBBB"}]]
    assert emulator.counters.calls["content.create"] == 1
    assert emulator.counters.calls["approval.create"] == 1
    assert emulator.counters.calls["approval.fetch"] == 1


async def test_a_template_waits_for_its_approval(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, clock: FrozenClock,
    templates: MemoryTemplates,
) -> None:  # fmt: skip
    emulator.switch(auto_approve=False)
    for _ in range(3):
        [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
        assert result == SendResult(Outcome.TEMPLATE_UNAVAILABLE, detail="received")
    assert emulator.counters.calls["approval.fetch"] == 1
    [made] = templates.made.values()
    emulator.template(made.sid, "approved")
    clock.advance(timedelta(minutes=4, seconds=59))
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.TEMPLATE_UNAVAILABLE
    clock.advance(timedelta(seconds=1))
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED
    assert emulator.counters.calls["approval.fetch"] == 2


async def test_a_rejected_template_is_unavailable(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, clock: FrozenClock,
    templates: MemoryTemplates,
) -> None:  # fmt: skip
    emulator.switch(auto_approve=False)
    await send(whatsapp, closed, ANNOUNCED, window_open=False)
    [made] = templates.made.values()
    emulator.template(made.sid, "rejected")
    clock.advance(timedelta(minutes=5))
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result == SendResult(Outcome.TEMPLATE_UNAVAILABLE, detail="rejected")


async def test_a_submission_whose_answer_was_lost(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person
) -> None:
    emulator.fault("approval.create", drop="after")
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.TRANSIENT
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED
    assert emulator.counters.calls["approval.fetch"] == 1


async def test_a_second_process_finds_the_template_submitted(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person
) -> None:
    second = replace(whatsapp, _known={}, _making=asyncio.Lock())
    results = await asyncio.gather(
        send(whatsapp, closed, ANNOUNCED, window_open=False),
        send(second, closed, ANNOUNCED, window_open=False),
    )
    assert [result[0].outcome for result in results] == [Outcome.ANNOUNCED] * 2, results


async def test_a_template_that_was_deleted_at_twilio_is_made_anew(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, clock: FrozenClock,
    templates: MemoryTemplates,
) -> None:  # fmt: skip
    """Asking for its approval met a 404 that refused every recipient, for good."""
    await send(whatsapp, closed, ANNOUNCED, window_open=False)
    [(slot, made)] = templates.made.items()
    emulator.contents.delete(made.sid)
    clock.advance(timedelta(minutes=6))
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result == SendResult(Outcome.TRANSIENT, detail="20404")
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED
    assert templates.made[slot].sid != made.sid
    assert emulator.counters.calls["content.create"] == 2


REFUSALS = [("content.create", 20001), ("approval.create", 20001), ("approval.fetch", 63005)]


@pytest.mark.parametrize(("step", "code"), REFUSALS)
async def test_a_template_that_twilio_refuses_waits_and_is_tried_again_later(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, clock: FrozenClock,
    step: str, code: int,
) -> None:  # fmt: skip
    """It refused every recipient for good, with a call for each; nobody was written to, and
    nothing is wrong with the message. No other process asks either."""
    body = {"code": code, "message": "No WhatsApp Business Account", "status": 400}
    fault = emulator.fault(step, status=400, times=100, body=body)
    another = replace(whatsapp, _known={}, _read_at={}, _making=asyncio.Lock())
    with capture_logs() as logs:
        for channel in (whatsapp, another, whatsapp):
            [result] = await send(channel, closed, ANNOUNCED, window_open=False)
            assert result == SendResult(Outcome.TEMPLATE_UNAVAILABLE, detail=str(code))
            clock.advance(timedelta(seconds=10))
    assert emulator.counters.calls[step] == 1
    [told] = logs
    assert (told["log_level"], told["kind"], told["code"]) == ("error", "notice", str(code))

    clock.advance(timedelta(minutes=5))
    [result] = await send(another, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.TEMPLATE_UNAVAILABLE
    assert emulator.counters.calls[step] == 2
    fault.times = 0
    clock.advance(timedelta(minutes=5))
    for channel in (whatsapp, another):
        [result] = await send(channel, closed, ANNOUNCED, window_open=False)
        assert result.outcome is Outcome.ANNOUNCED, result
    assert emulator.counters.violations == []


async def test_a_new_template_that_twilio_does_not_know_is_not_made_again_for_each_recipient(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person, clock: FrozenClock
) -> None:
    body = {"code": 20404, "message": "Not found", "status": 404}
    emulator.fault("approval.fetch", status=404, body=body)
    for _ in range(3):
        [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
        assert result == SendResult(Outcome.TEMPLATE_UNAVAILABLE, detail="20404")
    assert emulator.counters.calls["content.create"] == 1
    clock.advance(timedelta(minutes=5))
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED


@pytest.mark.parametrize("step", ["content.create", "approval.create", "approval.fetch"])
@pytest.mark.parametrize(
    ("status", "outcome"), [(503, Outcome.TRANSIENT), (429, Outcome.THROTTLED)]
)
async def test_what_can_pass_is_no_refusal_of_a_template(
    emulator: Emulator, whatsapp: WhatsAppChannel, closed: Person,
    step: str, status: int, outcome: Outcome,
) -> None:  # fmt: skip
    for one in {step, "approval.fetch"}:
        emulator.fault(one, status=status, body={"code": status, "status": status})
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is outcome
    [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    if step == "content.create":  # the submission met the other fault
        [result] = await send(whatsapp, closed, ANNOUNCED, window_open=False)
    assert result.outcome is Outcome.ANNOUNCED


# refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 21211, Outcome.BAD_RECIPIENT),
        (400, 21606, Outcome.REFUSED),
        (400, 21610, Outcome.BLOCKED),
        (400, 21617, Outcome.REFUSED),
        (400, 21656, Outcome.REFUSED),
        (400, 63016, Outcome.WINDOW_CLOSED),
        (400, 63038, Outcome.DAILY_LIMIT),
        (400, 63041, Outcome.TEMPLATE_UNAVAILABLE),
        (400, 21999, Outcome.REFUSED),
        (400, 63999, Outcome.UNREACHABLE),
        (401, 20003, Outcome.TRANSIENT),
        (403, 20006, Outcome.TRANSIENT),
        (429, 20429, Outcome.THROTTLED),
        (429, 429, Outcome.THROTTLED),
        (500, 20500, Outcome.TRANSIENT),
        (503, 503, Outcome.TRANSIENT),
    ],
)
async def test_refusals(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person,
    status: int, code: int, outcome: Outcome,
) -> None:  # fmt: skip
    message = f"The 'To' number {marat.address} is wrong"
    body = {"code": code, "message": message, "more_info": "", "status": status}
    emulator.fault("messages.create", status=status, body=body)
    [result] = await send(whatsapp, marat, Content(KK, "Сәлем"))
    assert (result.outcome, result.detail) == (outcome, str(code))
    assert (result.retry_after is not None) is (outcome is Outcome.THROTTLED)
    assert marat.phone not in str(result)


async def test_a_refusal_in_the_newer_form(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person
) -> None:
    body = {"type": "https://www.twilio.com/docs", "title": "No", "status": 400, "code": 21211}
    emulator.fault("messages.create", status=400, body=body)
    [result] = await send(whatsapp, marat, Content(KK, "Сәлем"))
    assert result == SendResult(Outcome.BAD_RECIPIENT, detail="21211")


async def test_a_page_instead_of_json(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person
) -> None:
    emulator.fault("messages.create", status=502)
    [result] = await send(whatsapp, marat, Content(KK, "Сәлем"))
    assert result.outcome is Outcome.TRANSIENT


@pytest.mark.parametrize(("drop", "received"), [("before", 0), ("after", 1)])
async def test_a_lost_answer_is_unknown(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, drop: Any, received: int
) -> None:
    emulator.fault("messages.create", drop=drop)
    [result] = await send(whatsapp, marat, Content(KK, "Сәлем"))
    assert result.outcome is Outcome.UNKNOWN
    assert len(emulator.received("marat")) == received


async def test_an_answer_that_takes_too_long_is_unknown(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.twilio_client.SECONDS", 0.05)
    emulator.fault("messages.create", delay=0.3)
    [result] = await send(whatsapp, marat, Content(KK, "Сәлем"))
    assert result.outcome is Outcome.UNKNOWN
    await emulator.wait_for("marat")  # and it did arrive


async def test_a_server_that_is_not_there_is_transient(
    whatsapp: WhatsAppChannel, marat: Person
) -> None:
    away = replace(whatsapp, client=make_client(SID, SECRET, "http://127.0.0.1:1"))
    for content in (Content(KK, "Сәлем"), NOTICE):
        [result] = await send(away, marat, content)
        assert result.outcome is Outcome.TRANSIENT
    await away.close()


async def test_a_part_of_another_channel_is_a_mistake(whatsapp: WhatsAppChannel) -> None:
    with pytest.raises(TypeError):
        await whatsapp.send("+77051234567", TelegramPart("Сәлем"), DELIVERY)


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        (21610, 400, Outcome.BLOCKED),
        (63018, 400, Outcome.THROTTLED),
        (30999, 400, Outcome.UNREACHABLE),
        (99999, 400, Outcome.REFUSED),
        (99999, 500, Outcome.TRANSIENT),
        (99999, 429, Outcome.THROTTLED),
    ],
)
def test_codes(code: int, status: int, outcome: Outcome) -> None:
    assert outcome_of(code, status) is outcome


# files --------------------------------------------------------------------------------------


@pytest.fixture
async def served(files: MemoryFiles) -> AsyncIterator[MemoryFiles]:
    """Our own GET /files/{token}/{name}, in small."""

    async def give(request: web.Request) -> web.Response:
        kind = "image/png" if request.match_info["id"] == str(PHOTO.id) else "application/pdf"
        return web.Response(body=PIXEL, content_type=kind)

    app = web.Application()
    app.router.add_get("/files/{id}/{name}", give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    files.url = f"http://127.0.0.1:{runner.addresses[0][1]}/files"
    yield files
    await runner.cleanup()


async def test_a_picture_with_its_caption_and_a_document(
    emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person, served: MemoryFiles
) -> None:
    results = await send(whatsapp, marat, Content(KK, "Көпір", files=(PDF, PHOTO)))
    assert [result.outcome for result in results] == [Outcome.SENT] * 2
    await emulator.settle()
    shown = {message.media["kind"]: (message.text, message.media["name"])
             for message in emulator.received("marat") if message.media}  # fmt: skip
    assert shown == {"document": ("", PDF.name), "photo": ("Көпір", PHOTO.name)}
    assert emulator.counters.violations == []


async def test_download(emulator: Emulator, whatsapp: WhatsAppChannel, marat: Person) -> None:
    sid = str(emulator.send_file("marat", "photo", content=PIXEL))
    form = emulator.whatsapp.inbound[sid].form
    assert await whatsapp.download(form["MediaUrl0"]) == PIXEL
    with pytest.raises(DownloadRefused, match="gone"):
        await whatsapp.download(form["MediaUrl0"] + "x")
    emulator.fault("media.fetch", status=503)
    with pytest.raises(ClientResponseError):  # goes better another time
        await whatsapp.download(form["MediaUrl0"])
    with pytest.raises(DownloadRefused):  # our token goes to Twilio and to nobody else
        await whatsapp.download("https://api.twilio.com.evil.example/media")


def test_both_hosts_are_redirected_and_no_other() -> None:
    http = make_client(SID, SECRET, "http://127.0.0.1:9/").http_client
    assert http.redirected("https://api.twilio.com/a") == "http://127.0.0.1:9/a"
    assert http.redirected("https://content.twilio.com/b") == "http://127.0.0.1:9/b"
    assert http.redirected("https://api.twilio.com.evil/c") == "https://api.twilio.com.evil/c"
    assert make_client(SID, SECRET).http_client.redirected("https://api.twilio.com/a") == (
        "https://api.twilio.com/a"
    )
