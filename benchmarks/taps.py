"""The load: taps of different people as the platforms post them, each person once.

`python -m benchmarks.taps CHANNEL PORT DATA ROUND FIRST COUNT SECONDS WARMUP CONCURRENCY`; prints
JSON. In every round the same people send updates of new numbers.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from benchmarks.http1 import Client, post


def telegram(number: int, chat: int, data: str, secret: str) -> bytes:
    """A tapped inline button, with all that Telegram sends along (a notice of 200 letters)."""
    person = {"id": chat, "is_bot": False, "first_name": "Айгүл", "language_code": "kk"}
    update = {
        "update_id": 500_000_000 + number,
        "callback_query": {
            "id": str(4_000_000_000_000_000_000 + number),
            "from": person,
            "chat_instance": "-3141592653589793238",
            "data": data,
            "message": {
                "message_id": 77,
                "from": {"id": 4242, "is_bot": True, "first_name": "Жиын", "username": "zhiyn_bot"},
                "chat": {"id": chat, "type": "private", "first_name": "Айгүл"},
                "date": 1_795_190_400,
                "text": "Ертең сағат 18:00-де клубта жиын болады. " * 5,
                "entities": [{"type": "bold", "offset": 0, "length": 12}],
                "reply_markup": {
                    "inline_keyboard": [[{"text": "✓ Оқыдым", "callback_data": data}]]
                },
            },
        },
    }
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    return post("/telegram", json.dumps(update).encode(), "application/json", headers)


def whatsapp(
    number: int, phone: int, data: str, *, port: int, sid: str, auth: str, sender: str
) -> bytes:
    """A tapped quick reply as Twilio posts and signs it."""
    form = {
        "MessageSid": f"SM{number:032x}", "SmsMessageSid": f"SM{number:032x}",
        "SmsSid": f"SM{number:032x}", "AccountSid": sid, "ApiVersion": "2010-04-01",
        "From": f"whatsapp:+{phone}", "WaId": str(phone), "To": sender, "ProfileName": "Айгүл",
        "Body": "Оқыдым", "ButtonText": "Оқыдым", "ButtonPayload": data, "NumMedia": "0",
        "NumSegments": "1", "SmsStatus": "received", "MessageType": "button",
        "OriginalRepliedMessageSid": f"SM{number + 1:032x}", "OriginalRepliedMessageSender": sender,
    }  # fmt: skip
    signed = f"http://127.0.0.1:{port}/whatsapp" + "".join(k + form[k] for k in sorted(form))
    digest = hmac.new(auth.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    return post("/whatsapp", urlencode(form).encode(), "application/x-www-form-urlencoded", headers)


def _requests(
    channel: str, port: int, data: str, rounds: int, first: int, count: int
) -> list[bytes]:
    from benchmarks import names as n

    people = list(range(first, first + count))
    random.Random(first).shuffle(people)
    new = rounds * 10_000_000
    if channel == "telegram":
        return [telegram(new + p, n.FIRST_CHAT + p, data, n.WEBHOOK_SECRET) for p in people]
    account = {"port": port, "sid": n.SID, "auth": n.AUTH, "sender": n.SENDER}
    return [whatsapp(new + p, n.FIRST_PHONE + p, data, **account) for p in people]


async def _one(
    port: int, queue: Iterator[bytes], until: float, seen: list[tuple[float, float, int]]
) -> None:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(Client, "127.0.0.1", port)
    while (began := time.perf_counter()) < until:
        request = next(queue, None)
        if request is None:
            return
        status = await client.ask(request)
        seen.append((began, time.perf_counter() - began, status))


async def _load(
    port: int, requests: list[bytes], seconds: float, warm_up: float, concurrency: int
) -> None:
    queue = iter(requests)
    seen: list[tuple[float, float, int]] = []
    until = time.perf_counter() + warm_up
    await asyncio.gather(*(_one(port, queue, until, seen) for _ in range(concurrency)))
    warm = len(seen)
    print("warm", warm, flush=True)
    sys.stdin.readline()
    seen.clear()
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_one(port, queue, began + seconds, seen) for _ in range(concurrency)))
    took = time.perf_counter() - began
    print(
        json.dumps(
            {
                "warm": warm,
                "seconds": took,
                "ran_out": next(queue, None) is None,
                "good": sum(status == 200 for _, _, status in seen),
                "bad": sum(status != 200 for _, _, status in seen),
                "latencies": [round(one, 5) for _, one, _ in seen],
                "cpu": time.process_time() - cpu,
            }
        ),
        flush=True,
    )


def main() -> None:
    """The process."""
    channel, port, data, rounds, first, count, seconds, warm_up, concurrency = sys.argv[1:]
    requests = _requests(channel, int(port), data, int(rounds), int(first), int(count))
    asyncio.run(_load(int(port), requests, float(seconds), float(warm_up), int(concurrency)))


if __name__ == "__main__":
    main()
