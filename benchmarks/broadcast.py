"""A notice to hundreds through the strict emulator, a conversation meanwhile, and the engine alone.

Strict: Telegram's 30 a second hold, a 429 counts. Lifted: the emulator takes everything and our
pace is raised, so that what is left is the machine; the stub shows the same without the emulator.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp

from benchmarks.ground import Ground, ground, make_database, plain, server
from benchmarks.inbound import bots, until_ready
from benchmarks.names import AUTH, SENDER, SID, TELEGRAM, TOKEN
from benchmarks.processes import cpu, free_port, line_of, module
from benchmarks.results import Made, Options, Tables, median, quantile

DEFAULT, FULL, LIFTED = 1200, 3000, 3000
EVERY = 2.0  # seconds between the villager's messages
RAISED = 100_000.0  # messages a second that our pace allows when it is lifted


async def run(options: Options) -> Tables:
    """Strict, then lifted on emulator and stub."""
    made = Made(
        "broadcast: one notice on Telegram, one process",
        ("platform", "recipients", "messages/s", "429", "lost or twice", "CPU ms/message",
         "мәзір answered: p50 ms", "worst ms", "answers"),
        note="messages/s from the first to the last accepted; replies to the villager and edits"
        " of the akim's live message take their part of the 30 and are counted in",
    )  # fmt: skip
    people = FULL if options.full else DEFAULT
    async with server() as running:
        for name, count, strict in (
            ("emulator, 30/s", people, True),
            ("emulator, lifted", LIFTED, False),
        ):
            url = await make_database(running, name)
            async with _emulator() as emulator:
                await _strictness(emulator, strict)
                await _broadcast(made, name, url, emulator, count, strict)
        url = await make_database(running, "stub")
        await _to_stub(made, url, LIFTED)
    return [made]


class Emulator:
    """The emulator's process, by its control address."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base, self.http = base, http

    async def post(self, path: str, **body: Any) -> Any:
        """One control call."""
        async with self.http.post(f"{self.base}/emulator/{path}", json=body) as answer:
            found = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"{path}: {found}")
            return found

    async def get(self, path: str, **query: str) -> Any:
        """One look."""
        async with self.http.get(f"{self.base}/emulator/{path}", params=query) as answer:
            found = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"{path}: {found}")
            return found


@asynccontextmanager
async def _emulator() -> AsyncIterator[Emulator]:
    given = ("--port", 0, "--bot", f"{TOKEN}=zhiyn_bot", "--twilio", f"{SID}:{AUTH}")
    sender = ("--sender", f"{SENDER}=http://127.0.0.1:1/whatsapp")
    async with module("emulator", *given, *sender) as process:
        base = (await line_of(process)).partition(": ")[2]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as http:
            yield Emulator(base, http)


async def _strictness(emulator: Emulator, strict: bool) -> None:
    await emulator.post("switches", telegram_limits=strict)


async def _broadcast(
    made: Made, name: str, url: str, emulator: Emulator, count: int, strict: bool
) -> None:
    await emulator.post("people", count=count, channel="telegram", reads=True)
    await emulator.post("people", id="akim", name="Болат", channel="telegram", started=True)
    await emulator.post("people", id="villager", name="Айгүл", channel="telegram", started=True)
    known = {one["id"]: str(one["telegram_id"]) for one in await emulator.get("people")}
    akim, villager = known.pop("akim"), known.pop("villager")
    base = await ground(url)
    await base.people(TELEGRAM, [*known.values(), villager])
    author = await base.akim(TELEGRAM, akim)
    rate = () if strict else ("--rate", RAISED)
    async with bots("benchmarks.worker", url, emulator.base, 1, *rate) as (port, pids):
        await until_ready(port, pids)
        await asyncio.sleep(2)  # announces itself
        await _say(emulator)  # the first one builds what is built once
        await emulator.post("counters/reset")
        before = sum(map(cpu, pids))
        notice = await base.notice(author, live=True)
        talk = asyncio.create_task(_talk(emulator))
        took, outcomes = await _until_sent(base, notice, count + 1)
        talk.cancel()
        spent = sum(map(cpu, pids)) - before
        counters = await emulator.get("counters")
        waits = (await asyncio.gather(talk, return_exceptions=True))[0]
        got = await _received(emulator, list(known))
    await base.close()
    calls = counters["calls"]
    seen = sum(n for method, n in calls.items() if method.startswith(("send", "editMessage")))
    waits = waits if isinstance(waits, list) else []
    _add(made, name, count, seen / took, counters["too_many"], got, spent / seen, waits)
    if outcomes != {"sent": count + 1}:
        made.note += f"; {name}: outcomes {outcomes}"


async def _say(emulator: Emulator) -> float:
    """The villager asks for the menu: seconds until it is there."""
    chat = await emulator.get("people/villager/chat")
    after = max((message["seq"] for message in chat["messages"]), default=0)
    began = time.perf_counter()
    await emulator.post("people/villager/say", text="мәзір")
    await emulator.get(
        "people/villager/wait", contains="", after=str(after + 1), count="1", timeout="20"
    )
    return time.perf_counter() - began


async def _talk(emulator: Emulator) -> list[float]:
    waits: list[float] = []
    try:
        while True:
            waits.append(1000 * await _say(emulator))
            await asyncio.sleep(EVERY)
    except asyncio.CancelledError:
        return waits


async def _until_sent(base: Ground, notice: UUID, count: int) -> tuple[float, dict[str, int]]:
    """Waits for an outcome of all: (seconds from first to last, outcomes)."""
    database = await plain(base.url)
    where = "FROM delivery WHERE message_id IN (SELECT id FROM message WHERE notice_id = $1)"
    async with asyncio.timeout(60 + count / 10):
        waiting = f"SELECT count(*) {where} AND outcome IS NULL"
        while await database.fetchval(waiting, notice):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    first, last = await database.fetchrow(
        f"SELECT min(finished_at), max(finished_at) {where}", notice
    )
    rows = await database.fetch(f"SELECT outcome, count(*) AS n {where} GROUP BY 1", notice)
    await database.close()
    assert isinstance(first, datetime)
    return (last - first).total_seconds(), {row["outcome"]: row["n"] for row in rows}


async def _received(emulator: Emulator, people: Sequence[str]) -> int:
    """How many have not exactly one message."""
    received = (await emulator.get("counters"))["received"]
    return sum(received.get(person, 0) != 1 for person in people)


def _add(
    made: Made, name: str, count: int, rate: float, too_many: int, wrong: object,
    spent: float, waits: Sequence[float],
) -> None:  # fmt: skip
    made.add(
        name, count, f"{rate:.1f}", too_many, wrong, f"{1000 * spent:.2f}",
        f"{median(waits):.0f}" if waits else "-", f"{quantile(waits, 1):.0f}" if waits else "-",
        len(waits),
    )  # fmt: skip


async def _to_stub(made: Made, url: str, count: int) -> None:
    base = await ground(url)
    await base.people(TELEGRAM, [str(10_000 + n) for n in range(count)])
    author = await base.akim(TELEGRAM, "999")
    port = free_port()
    async with module("benchmarks.stub", port) as stub:
        await line_of(stub)
        platforms = f"http://127.0.0.1:{port}"
        more = ("--rate", RAISED)
        async with bots("benchmarks.worker", url, platforms, 1, *more) as (served, pids):
            await until_ready(served, pids)
            await asyncio.sleep(2)
            before = sum(map(cpu, pids))
            notice = await base.notice(author)
            took, _ = await _until_sent(base, notice, count)
            spent = sum(map(cpu, pids)) - before
    await base.close()
    _add(made, "stub, lifted", count, count / took, 0, "-", spent / count, [])
