"""The parts of a turn that are pure CPU, one at a time."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

from benchmarks.names import AUTH, FIRST_CHAT, FIRST_PHONE, SENDER, SID
from benchmarks.results import Made, Options, Tables, median
from benchmarks.taps import telegram, whatsapp
from bot.channels.telegram_updates import parse_update
from bot.channels.whatsapp_inbound import verify
from conversation.message import Choice, Reply
from conversation.present import compose
from conversation.state import State
from core.clock import Clock
from core.crypto import Keyring, new_key
from core.ids import new_id, short
from core.languages import Language
from core.texts import T, texts

TIMES = 2000


async def run(options: Options) -> Tables:
    """Microseconds of each."""
    keyring, row, clock = Keyring({2: new_key()}, new_key()), uuid4(), Clock()
    words = "Ертең сағат 18:00-де клубта жиын болады. " * 5
    sealed = keyring.seal("message.content", row, words)
    data = f"d.read.{short(row)}.1"
    update = telegram(1, FIRST_CHAT, data, "x").partition(b"\r\n\r\n")[2]
    signature, form = _signed(data)
    done = Reply(T("notice-read-receipt"), (Choice("read", T("notice-read-done"), ("x", "1"),
                 durable=True),), screen=False)  # fmt: skip
    content = compose(texts(), Language.KK, done)
    state = State().dump()
    parts: dict[str, Callable[[], object]] = {
        "seal 400 bytes (AES-GCM)": lambda: keyring.seal("message.content", row, words),
        "open 400 bytes": lambda: keyring.open("message.content", row, sealed),
        "index (HMAC)": lambda: keyring.index("alias:chat", "1000001"),
        "new_id": lambda: new_id(clock.now()),
        "JSON and parse_update": lambda: parse_update(row, json.loads(update), clock.now()),
        "Twilio's signature": lambda: verify(AUTH, "http://127.0.0.1:1/whatsapp", form, signature),
        "reply into words": lambda: compose(texts(), Language.KK, done),
        "content to JSON": lambda: json.dumps(content.to_json(), ensure_ascii=False),
        "state load and dump": lambda: State.load(state, 1).dump(),
    }
    made = Made("parts of a turn", ("part", "µs"), note=f"medians of {options.repeat} × {TIMES}")
    for name, part in parts.items():
        made.add(name, f"{1e6 * median([_time(part) for _ in range(options.repeat)]):.1f}")
    return [made]


def _time(part: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        part()
    return (time.process_time() - began) / TIMES


def _signed(data: str) -> tuple[str, dict[str, str]]:
    from urllib.parse import parse_qsl

    request = whatsapp(1, FIRST_PHONE, data, port=1, sid=SID, auth=AUTH, sender=SENDER)
    head, _, body = request.partition(b"\r\n\r\n")
    line = next(one for one in head.decode().split("\r\n") if one.startswith("X-Twilio"))
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signature = line.partition(": ")[2]
    assert verify(AUTH, "http://127.0.0.1:1/whatsapp", form, signature)
    return signature, form
