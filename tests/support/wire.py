"""The platforms' own requests, made by hand: for forged, doubled and strange ones."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from emulator.wire import signature
from emulator.world import Person
from support.world import AUTH, SENDER, SID, WEBHOOK_SECRET

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
Json = dict[str, Any]


def telegram_user(person: Person) -> Json:
    """The person as a User."""
    return {"id": person.telegram_id, "is_bot": False, "first_name": person.name}


def telegram_text(person: Person, number: int, words: str) -> Json:
    """The update of a typed message; its numbers follow from `number`."""
    chat = {"id": person.telegram_id, "type": "private", "first_name": person.name}
    message = {"message_id": number, "date": 1, "chat": chat, "text": words}
    return {"update_id": number, "message": message | {"from": telegram_user(person)}}


def telegram_tap(person: Person, number: int, data: str, message: int = 1) -> Json:
    """The update of a tapped button."""
    chat = {"id": person.telegram_id, "type": "private", "first_name": person.name}
    query = {
        "id": str(number),
        "from": telegram_user(person),
        "chat_instance": "1",
        "data": data,
        "message": {"message_id": message, "date": 1, "chat": chat},
    }
    return {"update_id": number, "callback_query": query}


async def post_telegram(url: str, update: Any, secret: str | None = WEBHOOK_SECRET) -> int:
    """Posts an update as Telegram does; the status of the answer."""
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/telegram", json=update, headers=headers) as answer,
    ):
        return answer.status


def twilio_form(person: Person, sid: str, **fields: str) -> dict[str, str]:
    """The parameters of one message as Twilio posts them."""
    form = {
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": SID,
        "From": person.address,
        "To": SENDER,
        "Body": "",
        "NumMedia": "0",
        "ProfileName": person.name,
    }
    return form | fields


async def post_twilio(
    url: str,
    form: Mapping[str, str],
    path: str = "/whatsapp",
    signed_by: str | None = AUTH,
    public: str = "",
) -> int:
    """Posts a signed form; `public` is the address that Twilio believes to call."""
    headers = {}
    if signed_by is not None:
        headers["X-Twilio-Signature"] = signature(signed_by, f"{public or url}{path}", form)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}{path}", data=form, headers=headers) as answer,
    ):
        return answer.status
