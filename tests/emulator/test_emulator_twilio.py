"""The emulated Twilio against the real twilio client: happy paths and every refusal."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from emulator.app import PIXEL, Emulator
from emulator.world import Person

if TYPE_CHECKING:
    from tests.emulator.conftest import Product

# twilio 9.13 hands aiohttp an auth object, which aiohttp 3.14 calls deprecated: theirs, not ours.
pytestmark = pytest.mark.filterwarnings("ignore:The 'auth' parameter:DeprecationWarning")

SENDER = "whatsapp:+77001112233"
SECRET = "twilio-secret"
TEXT = {"twilio/text": {"body": "Хабар: {{1}}"}}
QUICK = {"twilio/quick-reply": {"body": "{{1}}", "actions": [
    {"type": "QUICK_REPLY", "title": "{{2}}", "id": "{{3}}"},
    {"type": "QUICK_REPLY", "title": "{{4}}", "id": "{{5}}"}]}}  # fmt: skip
LIST = {"twilio/list-picker": {"body": "{{1}}", "button": "{{2}}", "items": [
    {"item": "{{3}}", "id": "{{4}}", "description": "{{5}}"}]}}  # fmt: skip
QUICK_FILLED = {"1": "Келесіз бе?", "2": "Иә", "3": "v1:yes", "4": "Жоқ", "5": "v1:no"}
LIST_FILLED = {"1": "Ауыл?", "2": "Таңдау", "3": "Бугровое", "4": "v1:b", "5": "Қызылжар"}


@pytest.fixture
def erlan(emulator: Emulator) -> Person:
    return emulator.add_person("erlan", "Ерлан", "whatsapp", window_open=True)


async def send(twilio: Client, person: Person, body: str = "", **options: Any) -> Any:
    if body:
        options["body"] = body
    return await twilio.messages.create_async(to=person.address, from_=SENDER, **options)


async def make(twilio: Client, types: dict[str, Any], language: str = "kk") -> str:
    from twilio.rest.content.v1.content import ContentList

    request = ContentList.ContentCreateRequest(
        {"friendly_name": "t", "language": language, "variables": {}, "types": types}
    )
    created = await twilio.content.v1.contents.create_async(request)
    return str(created.sid)


async def approve(twilio: Client, sid: str) -> None:
    from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

    request = ApprovalCreateList.ContentApprovalRequest({"name": "khabar", "category": "UTILITY"})
    await twilio.content.v1.contents(sid).approval_create.create_async(request)


async def fill(twilio: Client, person: Person, sid: str, values: dict[str, str]) -> Any:
    return await send(
        twilio, person, content_sid=sid, content_variables=json.dumps(values, ensure_ascii=False)
    )


async def refused(work: Any, code: int, status: int = 400) -> None:
    with pytest.raises(TwilioRestException) as error:
        await work
    assert (error.value.code, error.value.status) == (code, status)


async def fails(emulator: Emulator, work: Any, code: int) -> None:
    """Accepted by Twilio, refused by WhatsApp: the code comes with the status."""
    accepted = await work
    assert accepted.status == "queued"
    await emulator.settle()
    again = await accepted.fetch_async()
    assert again.error_code == code
    assert again.status in ("failed", "undelivered")


# --- sending --------------------------------------------------------------------------------
async def test_a_text_goes_out_and_its_statuses_are_signed(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person
) -> None:
    callback = f"{product.url}/whatsapp/status?delivery=7&x=%D3%99"
    sent = await send(twilio, erlan, "сәлем", status_callback=callback)
    assert sent.status == "queued"
    assert sent.direction == "outbound-api"
    await emulator.settle()
    assert emulator.texts("erlan") == ["сәлем"]
    assert emulator.last("erlan").status == "read"
    statuses = [form["MessageStatus"] for form in product.statuses]
    assert statuses == ["queued", "sent", "delivered", "read"]
    assert product.statuses[-1]["EventType"] == "READ"
    for url, form, signature in product.signatures:
        assert RequestValidator(SECRET).validate(url, form, signature)
        assert not RequestValidator("other").validate(url, form, signature)
    assert (await sent.fetch_async()).status == "read"


async def test_what_twilio_refuses_at_once(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    text = await make(twilio, TEXT)
    create = twilio.messages.create_async
    await refused(create(to="whatsapp:87051112233", from_=SENDER, body="a"), 21211)
    await refused(create(to="+77051112233", from_=SENDER, body="a"), 21211)
    await refused(create(to=erlan.address, from_="whatsapp:+77009999999", body="a"), 21606)
    await refused(send(twilio, erlan, "а" * 1601), 21617)
    await refused(send(twilio, erlan), 21619)
    await refused(send(twilio, erlan, "a", status_callback="https://example.com/s"), 21609)
    two = ["http://127.0.0.1/a", "http://127.0.0.1/b"]
    await refused(send(twilio, erlan, media_url=two), 21623)
    await refused(send(twilio, erlan, content_sid="HX" + "0" * 32), 21655)
    await refused(send(twilio, erlan, "a", content_sid=text), 20001)
    await refused(send(twilio, erlan, content_sid=text), 21656)
    await refused(fill(twilio, erlan, text, {"1": " "}), 21656)
    await refused(send(twilio, erlan, content_sid=text, content_variables="{"), 21656)
    await refused(send(twilio, erlan, content_sid=text, content_variables='{"1": 2}'), 21656)
    await refused(fill(twilio, erlan, text, {"1": "а" * 1601}), 21658)
    assert emulator.texts("erlan") == []
    await send(twilio, erlan, "а" * 1600)


async def test_wrong_credentials_and_unknown_things(emulator: Emulator, twilio: Client) -> None:
    wrong = Client("AC" + "1" * 32, "wrong", http_client=twilio.http_client)
    await refused(wrong.messages.create_async(to="a", from_="b", body="c"), 20003, 401)
    await refused(twilio.messages("SM" + "0" * 32).fetch_async(), 20404, 404)
    await refused(twilio.content.v1.contents("HX" + "0" * 32).fetch_async(), 20404, 404)
    assert not emulator.counters.received


async def test_hidden_phones_are_written_to_by_their_id(emulator: Emulator, twilio: Client) -> None:
    hidden = emulator.add_person("h", "Жасырын", "whatsapp", hidden=True, window_open=True)
    assert hidden.address.startswith("whatsapp:US.")
    await send(twilio, hidden, "сәлем")
    assert emulator.texts("h") == ["сәлем"]


async def test_quick_replies_and_lists_are_filled_and_tapped(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person
) -> None:
    await fill(twilio, erlan, await make(twilio, QUICK), QUICK_FILLED)
    await fill(twilio, erlan, await make(twilio, LIST), LIST_FILLED)
    quick, listing = emulator.received("erlan")
    assert quick.buttons[0] == [{"text": "Иә", "id": "v1:yes"}]
    assert listing.listing
    assert listing.listing["button"] == "Таңдау"
    emulator.tap("erlan", "Иә")
    emulator.choose("erlan", "v1:b")
    await emulator.settle()
    tap, row = product.inbound
    assert (tap["ButtonPayload"], tap["ButtonText"], tap["Body"]) == ("v1:yes", "Иә", "Иә")
    assert (row["ListId"], row["ListTitle"], row["Body"]) == ("v1:b", "Бугровое", "Бугровое")


TOO_LONG: list[tuple[dict[str, Any], dict[str, str], str, str]] = [
    (QUICK, QUICK_FILLED, "1", "а" * 1025),
    (QUICK, QUICK_FILLED, "2", "а" * 21),
    (QUICK, QUICK_FILLED, "3", "a" * 257),
    (QUICK, QUICK_FILLED, "4", "Иә"),
    (QUICK, QUICK_FILLED, "5", "v1:yes"),
    (LIST, LIST_FILLED, "1", "а" * 1025),
    (LIST, LIST_FILLED, "2", "а" * 21),
    (LIST, LIST_FILLED, "3", "а" * 25),
    (LIST, LIST_FILLED, "4", "a" * 201),
    (LIST, LIST_FILLED, "5", "а" * 73),
]


@pytest.mark.parametrize(("types", "values", "name", "value"), TOO_LONG)
async def test_lengths_hold_after_substitution(
    emulator: Emulator, twilio: Client, erlan: Person, types: dict[str, Any],
    values: dict[str, str], name: str, value: str,
) -> None:  # fmt: skip
    sid = await make(twilio, types)
    await fails(emulator, fill(twilio, erlan, sid, values | {name: value}), 63005)
    assert emulator.texts("erlan") == []


def quick_of(count: int) -> dict[str, Any]:
    actions = [{"type": "QUICK_REPLY", "title": f"t{n}", "id": f"i{n}"} for n in range(count)]
    return {"twilio/quick-reply": {"body": "a", "actions": actions}}


def list_of(count: int, title: str = "t") -> dict[str, Any]:
    items = [{"item": f"{title}{n}", "id": f"i{n}", "description": "d"} for n in range(count)]
    return {"twilio/list-picker": {"body": "a", "button": "b", "items": items}}


async def test_counts_of_buttons_and_items(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    await refused(make(twilio, quick_of(11)), 20001)
    await refused(make(twilio, list_of(11)), 20001)
    await refused(make(twilio, list_of(0)), 20001)
    await refused(make(twilio, list_of(1, "а" * 24)), 20001)
    await refused(make(twilio, {"twilio/text": {"body": ""}}), 20001)
    await refused(make(twilio, {"twilio/text": {"body": " ".join(
        "{{" + str(n) + "}}" for n in range(101))}}), 20001)  # fmt: skip
    await make(twilio, list_of(10))
    four = await make(twilio, quick_of(4))
    await fails(emulator, send(twilio, erlan, content_sid=four), 63005)
    await approve(twilio, four)
    await send(twilio, erlan, content_sid=four)
    assert len(emulator.last("erlan").buttons) == 4


async def test_contents_are_listed_fetched_and_deleted(twilio: Client) -> None:
    sids = [await make(twilio, TEXT) for _ in range(3)]
    listed = [content.sid for content in await twilio.content.v1.contents.list_async(page_size=2)]
    assert listed[:2] == sids[:2]
    fetched = await twilio.content.v1.contents(sids[0]).fetch_async()
    assert fetched.types == TEXT
    assert fetched.language == "kk"
    both = await twilio.content.v1.content_and_approvals.list_async()
    assert both[0].approval_requests == {"status": "unsubmitted"}
    assert await twilio.content.v1.contents(sids[0]).delete_async()
    await refused(twilio.content.v1.contents(sids[0]).fetch_async(), 20404, 404)


# --- window, templates, quota ----------------------------------------------------------------
async def test_the_window_closes_after_a_day(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person
) -> None:
    emulator.advance(hours=23.9)
    await send(twilio, erlan, "әлі ашық")
    emulator.advance(hours=0.2)
    callback = f"{product.url}/whatsapp/status"
    await fails(emulator, send(twilio, erlan, "жабық", status_callback=callback), 63016)
    assert product.statuses[-1]["ErrorCode"] == "63016"
    assert product.statuses[-1]["MessageStatus"] == "undelivered"
    await fails(emulator, fill(twilio, erlan, await make(twilio, TEXT), {"1": "a"}), 63016)
    emulator.switch(window_refusal="sync")
    await refused(send(twilio, erlan, "жабық"), 63016)
    emulator.say("erlan", "оқу")
    await send(twilio, erlan, "қайта ашық")
    assert emulator.texts("erlan") == ["әлі ашық", "қайта ашық"]


async def test_an_approved_template_goes_outside_the_window(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    emulator.advance(days=2)
    sid = await make(twilio, TEXT)
    emulator.switch(auto_approve=False)
    await approve(twilio, sid)
    await fails(emulator, fill(twilio, erlan, sid, {"1": "су жоқ"}), 63016)
    emulator.template(sid, "approved")
    status = await twilio.content.v1.contents(sid).approval_fetch().fetch_async()
    assert status.whatsapp
    assert status.whatsapp["status"] == "approved"
    await fill(twilio, erlan, sid, {"1": "су жоқ"})
    assert emulator.texts("erlan") == ["Хабар: су жоқ"]
    assert emulator.last("erlan").template == sid
    emulator.template(sid, "paused")
    await fails(emulator, fill(twilio, erlan, sid, {"1": "су жоқ"}), 63041)


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a     b", "a\rb"])
async def test_variables_stay_on_one_line_in_templates(
    emulator: Emulator, twilio: Client, erlan: Person, value: str
) -> None:
    sid = await make(twilio, TEXT)
    await fill(twilio, erlan, sid, {"1": value})
    assert emulator.texts("erlan") == [f"Хабар: {value}"]
    emulator.switch(session_breaks_refused=True)
    await refused(fill(twilio, erlan, sid, {"1": value}), 21656)
    emulator.switch(session_breaks_refused=False)
    emulator.template(sid, "approved")
    emulator.advance(days=2)
    await refused(fill(twilio, erlan, sid, {"1": value}), 21656)
    await fill(twilio, erlan, sid, {"1": "a    b"})


async def test_lists_are_for_the_session_only(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    sid = await make(twilio, list_of(2))
    emulator.template(sid, "approved")
    emulator.advance(days=2)
    await fails(emulator, send(twilio, erlan, content_sid=sid), 63016)


async def test_the_quota_counts_unique_people_outside_the_window(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    emulator.switch(whatsapp_quota=3, whatsapp_slack=1000)
    people = emulator.add_people(4, "whatsapp")
    sid = await make(twilio, TEXT)
    emulator.template(sid, "approved")
    await fill(twilio, erlan, sid, {"1": "терезе ашық"})
    for person in [*people[:3], people[0]]:
        await fill(twilio, person, sid, {"1": "a"})
    await fails(emulator, fill(twilio, people[3], sid, {"1": "a"}), 63038)
    emulator.switch(quota_error=63018)
    await fails(emulator, fill(twilio, people[3], sid, {"1": "a"}), 63018)
    emulator.advance(days=1, seconds=1)
    await fill(twilio, people[3], sid, {"1": "ертең"})
    assert [len(emulator.texts(p.id)) for p in people] == [2, 1, 1, 1]


async def test_throughput(emulator: Emulator, twilio: Client, erlan: Person) -> None:
    emulator.switch(whatsapp_per_second=2, whatsapp_slack=0)
    for _ in range(2):
        await send(twilio, erlan, "a")
    await fails(emulator, send(twilio, erlan, "a"), 63018)
    emulator.switch(whatsapp_limits=False)
    await send(twilio, erlan, "b")


async def test_people_who_do_not_want_or_do_not_exist(
    emulator: Emulator, twilio: Client, erlan: Person
) -> None:
    unknown = twilio.messages.create_async(to="whatsapp:+77770000001", from_=SENDER, body="a")
    await fails(emulator, unknown, 63024)
    emulator.block("erlan")
    await fails(emulator, send(twilio, erlan, "a"), 63014)
    emulator.unblock("erlan")
    emulator.say("erlan", "STOP")
    await send(twilio, erlan, "a")
    emulator.switch(stop_opts_out=True)
    emulator.say("erlan", "Stop")
    await refused(send(twilio, erlan, "a"), 21610)
    emulator.say("erlan", "START")
    await send(twilio, erlan, "b")
    assert emulator.texts("erlan") == ["a", "b"]


# --- media ----------------------------------------------------------------------------------
async def test_media_is_really_fetched(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person
) -> None:
    url = f"{product.url}/files/a.pdf?type="
    sent = await send(twilio, erlan, "сурет", media_url=[f"{url}image/png"])
    assert sent.sid.startswith("MM")
    assert sent.num_media == "1"
    await send(twilio, erlan, "хаттама", media_url=[f"{url}application/pdf"])
    await emulator.settle()
    picture, document = emulator.received("erlan")
    assert (picture.text, picture.media and picture.media["kind"]) == ("сурет", "photo")
    assert (document.text, document.media and document.media["name"]) == ("", "a.pdf")
    emulator.switch(document_captions=True)
    await send(twilio, erlan, "хаттама", media_url=[f"{url}application/pdf"])
    await emulator.settle()
    assert emulator.last("erlan").text == "хаттама"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("files/a?type=application/zip", 12300),
        (f"files/a?type=image/png&size={5 * 2**20 + 1}", 63019),
        (f"files/a?type=application/pdf&size={16 * 2**20 + 1}", 63019),
        ("nothing", 63019),
    ],
)
async def test_media_that_twilio_cannot_take(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person, query: str, code: int
) -> None:
    await fails(emulator, send(twilio, erlan, media_url=[f"{product.url}/{query}"]), code)
    await fails(emulator, send(twilio, erlan, media_url=["https://example.com/a.png"]), 63019)
    assert emulator.received("erlan") == []


async def test_people_send_media_behind_basic_auth(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    emulator.send_file("erlan", "photo", caption="шұңқыр")
    await emulator.settle()
    form = product.inbound[0]
    assert (form["NumMedia"], form["MediaContentType0"], form["Body"]) == (
        "1", "image/png", "шұңқыр",
    )  # fmt: skip
    session = emulator.session()
    async with session.get(form["MediaUrl0"]) as answer:
        assert answer.status == 401
    secret = base64.b64encode(f"AC{'1' * 32}:{SECRET}".encode()).decode()
    auth = {"Authorization": f"Basic {secret}"}
    async with session.get(form["MediaUrl0"], headers=auth) as answer:
        assert await answer.read() == PIXEL


async def test_a_contact_arrives_as_a_card(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    emulator.share_contact("erlan", {"name": "Сәуле", "phone": "+77770000009"})
    await emulator.settle()
    assert product.inbound[0]["MediaContentType0"] == "text/vcard"
    media = emulator.chat("erlan")[0].media
    assert media
    known = emulator.files.get(media["file"])
    assert known
    assert b"TEL:+77770000009" in known[1]


# --- inbound --------------------------------------------------------------------------------
async def test_inbound_is_signed_and_complete(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    emulator.say("erlan", "сәлем & қош")
    await emulator.settle()
    url, form, signature = product.signatures[0]
    assert RequestValidator(SECRET).validate(url, form, signature)
    assert form["From"] == erlan.address
    assert form["WaId"] == erlan.phone.lstrip("+")
    assert {"SmsMessageSid", "NumMedia", "ProfileName", "MessageType", "SmsSid", "SmsStatus",
            "Body", "To", "NumSegments", "ReferralNumMedia", "MessageSid", "AccountSid",
            "ApiVersion"} <= set(form)  # fmt: skip
    emulator.send_location("erlan", 54.9, 69.1)
    hidden = emulator.add_person("h", "Жасырын", "whatsapp", hidden=True)
    emulator.say("h", "сәлем")
    await emulator.settle()
    assert product.inbound[1]["Latitude"] == "54.9"
    assert product.inbound[1]["Body"] == ""
    assert product.inbound[2]["From"] == product.inbound[2]["ExternalUserId"] == hidden.address
    assert "WaId" not in product.inbound[2]


async def test_only_the_override_retries_server_errors(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    product.answers = [500]
    act = emulator.say("erlan", "бір")
    await emulator.settle()
    assert emulator.inbound(str(act)).answers == [500]
    assert not emulator.acknowledged(act)
    emulator.add_sender(SENDER, f"{product.url}/whatsapp#rc=5&rp=all")
    product.answers = [500, 503]
    act = emulator.say("erlan", "екі")
    await emulator.settle()
    assert emulator.inbound(str(act)).answers == [500, 503, 200]
    assert emulator.acknowledged(act)
    url, form, signature = product.signatures[-1]
    assert RequestValidator(SECRET).validate(url, form, signature)
    emulator.switch(fragment_signed=True)
    emulator.say("erlan", "үш")
    await emulator.settle()
    url, form, signature = product.signatures[-1]
    assert not RequestValidator(SECRET).validate(url, form, signature)
    assert RequestValidator(SECRET).validate(f"{url}#rc=5&rp=all", form, signature)


async def test_an_answer_is_seen_before_the_next_try(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    emulator.switch(inbound_pause=3600.0)
    emulator.add_sender(SENDER, f"{product.url}/whatsapp#rc=5&rp=all")
    product.answers = [503]
    act = emulator.say("erlan", "бір")
    await emulator.wait_until(lambda: emulator.inbound(str(act)).answers == [503])
    assert not emulator.inbound(str(act)).done


async def test_duplicates_and_order_of_inbound(
    emulator: Emulator, product: Product, erlan: Person
) -> None:
    emulator.duplicate_next(copies=2)
    act = emulator.say("erlan", "бір")
    await emulator.settle()
    emulator.repeat(act)
    await emulator.settle()
    assert [form["MessageSid"] for form in product.inbound] == [act] * 4
    emulator.hold_inbound()
    for text in ("екі", "үш"):
        emulator.say("erlan", text)
    emulator.release_inbound([1, 0])
    await emulator.settle()
    assert [form["Body"] for form in product.inbound[4:]] == ["үш", "екі"]


# --- statuses and faults ----------------------------------------------------------------------
async def test_statuses_come_late_twice_and_out_of_order(
    emulator: Emulator, twilio: Client, product: Product, erlan: Person
) -> None:
    callback = f"{product.url}/whatsapp/status"
    emulator.hold_statuses()
    await send(twilio, erlan, "a", status_callback=callback)
    await emulator.settle()
    assert product.statuses == []
    emulator.release_statuses([3, 0])
    await emulator.settle()
    assert [form["MessageStatus"] for form in product.statuses] == ["read", "queued"]
    emulator.switch(status_copies=2, status_queued=False)
    emulator.change_person("erlan", reads=False)
    await send(twilio, erlan, "b", status_callback=callback)
    await emulator.settle()
    assert [form["MessageStatus"] for form in product.statuses[2:]] == (
        ["sent"] * 2 + ["delivered"] * 2
    )
    emulator.mark_read("erlan")
    await emulator.settle()
    assert emulator.last("erlan").status == "read"


async def test_scripted_faults(emulator: Emulator, twilio: Client, erlan: Person) -> None:
    emulator.fault("messages.create", status=429)
    await refused(send(twilio, erlan, "a"), 20429, 429)
    assert emulator.counters.too_many == 1
    emulator.fault("messages.create", drop="before")
    with pytest.raises(aiohttp.ClientError):
        await send(twilio, erlan, "a")
    assert emulator.texts("erlan") == []
    emulator.fault("messages.create", drop="after", to=erlan.address)
    with pytest.raises(aiohttp.ClientError):
        await send(twilio, erlan, "b")
    assert emulator.texts("erlan") == ["b"]
    emulator.fault("messages.create", delay=0.01)
    await asyncio.wait_for(send(twilio, erlan, "c"), 30)
    assert emulator.counters.received["erlan"] == 2
