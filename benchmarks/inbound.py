""" "I have read it" tapped by different people, posted as signed webhooks: committed effects.

Ours against the usual aiogram + ORM bot (benchmarks/rival.py): same server settings, same number of
processes, same load generator, in turns within one run, so that a busy machine is busy for both.
"""

import asyncio
import json
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import asyncpg

from benchmarks import rival
from benchmarks.ground import button, ground, make_database, plain, postmaster, server
from benchmarks.names import FIRST_CHAT, FIRST_PHONE, TELEGRAM, WHATSAPP
from benchmarks.processes import cpu, free_port, line_of, listeners, module, stop
from benchmarks.results import Made, Options, Tables, median, quantile
from bot.database import EmbeddedServer

log = logging.getLogger(__name__)

CONCURRENCY = 32
WARM_UP = 1.0
AT_MOST = 4500  # turns a second that the prepared people have to last for
PLANS = ((1, True), (2, True), (1, False), (2, False))  # processes, quiet
COUNTED = 320  # turns whose statements are counted


@dataclass
class Run:
    """One run of one contender."""

    rate: float
    p50: float  # ms
    p99: float
    process_cpu: float  # ms a turn, of the bot's processes
    database_cpu: float
    bad: int
    load_cpu: float  # of the generator, share of a core


@dataclass
class Contender:
    """A bot on a database of its own, and how its effects are counted."""

    name: str
    module: str
    url: str
    channel: str
    data: str
    effects: str  # SQL
    people: int
    next_notice: Callable[[str], Awaitable[str]]  # the button of this one → of the next
    used: int = 0
    rounds: int = 0
    statements: str = ""
    runs: dict[tuple[int, bool], list[Run]] = field(default_factory=dict)

    async def ask_again(self) -> None:
        """The next notice, which nobody has read yet."""
        if self.used:
            self.data = await self.next_notice(self.data)
            self.rounds, self.used = self.rounds + 1, 0

    def some(self, count: int) -> int:
        """So many people who have not tapped yet: the first one's number."""
        first, self.used = self.used, self.used + count
        if self.used > self.people:
            raise RuntimeError(f"{self.name}: {self.people} people are not enough")
        return first


async def run(options: Options) -> Tables:
    """Telegram: ours and the rival, alone and with answers; WhatsApp: ours."""
    people = int((options.seconds + WARM_UP) * AT_MOST)
    async with server() as running:
        ours, theirs = await _contenders(running, people * options.repeat + 2 * COUNTED)
        whatsapp = replace(ours, name="zhiyn, WhatsApp", channel=WHATSAPP, runs={})
        pid = await postmaster(running.url)
        async with _platforms() as platforms:
            for plan in PLANS:
                told = (ours, theirs, whatsapp) if plan[1] else (ours, theirs)
                await _plan(told, plan, platforms, pid, options)
    return _tables(ours, theirs, whatsapp, options)


async def _plan(
    told: Sequence[Contender],
    plan: tuple[int, bool],
    platforms: str,
    pid: int,
    options: Options,
) -> None:
    """All contenders are up, one at a time is under load, and again."""
    ours, theirs = told[:2]
    more = ("--quiet",) if plan[1] else ()
    for contender in told:
        await contender.ask_again()
    await _empty_outbox(ours.url)
    async with (
        bots(ours.module, ours.url, platforms, plan[0], *more) as our_bots,
        bots(theirs.module, theirs.url, platforms, plan[0], *more) as their_bots,
    ):
        await asyncio.gather(until_ready(*our_bots), until_ready(*their_bots))
        for number in range(options.repeat):
            for contender in told:
                port, pids = their_bots if contender is theirs else our_bots
                if not number and plan == PLANS[0]:
                    found = [await _statements(contender, port, n) for n in (1, CONCURRENCY)]
                    contender.statements = " · ".join(found)
                await _measure(contender, plan, (port, pids), pid, options)


async def _empty_outbox(url: str) -> None:
    """As if all that the quiet runs left had been sent: the rival keeps no replies at all."""
    database = await plain(url)
    await database.execute(
        "UPDATE delivery SET outcome = 'sent', sent_at = created_at, finished_at = created_at,"
        " claimed_until = NULL WHERE outcome IS NULL"
    )
    await database.execute("VACUUM ANALYZE")
    await database.close()


async def _contenders(running: EmbeddedServer, people: int) -> tuple[Contender, Contender]:
    url = await make_database(running, "ours")
    made = await ground(url)
    await made.people(TELEGRAM, [str(FIRST_CHAT + n) for n in range(people)])
    await made.people(WHATSAPP, [f"+{FIRST_PHONE + n}" for n in range(people)])
    author = await made.akim(TELEGRAM, "999")

    async def sent(_: str = "") -> str:
        notice = await made.notice(author)
        await made.delivered(notice)
        return button(notice)

    async def another(before: str) -> str:
        return f"read:{int(before.partition(':')[2]) + 1}"

    theirs = await make_database(running, "theirs")
    await rival.prepare(theirs, people)
    effects = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    return (
        Contender(
            "zhiyn", "benchmarks.worker", url, TELEGRAM, await sent(), effects, people,
            sent,
        ),
        Contender(
            "aiogram + ORM", "benchmarks.rival", theirs, TELEGRAM, "read:1",
            "SELECT count(*) FROM acknowledgements", people, another,
        ),
    )  # fmt: skip


@asynccontextmanager
async def _platforms() -> AsyncIterator[str]:
    port = free_port()
    async with module("benchmarks.stub", port) as process:
        await line_of(process)
        yield f"http://127.0.0.1:{port}"


Bots = tuple[int, list[int]]  # port, process ids


@asynccontextmanager
async def bots(
    name: str, url: str, platforms: str, count: int, *more: object
) -> AsyncIterator[Bots]:
    """So many processes of this bot on one port."""
    port = free_port()
    given = ("--database", url, "--port", port, "--platforms", platforms, *more)
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(module(name, *given)) for _ in range(count)]
        yield port, [process.pid for process in started]
        await asyncio.gather(*(stop(process) for process in started))


async def until_ready(port: int, pids: Sequence[int], seconds: float = 90) -> None:
    """Waits until each of the processes listens, and /ready answers 200."""
    async with asyncio.timeout(seconds):
        while listeners(port) < len(pids) or not await _answers(port):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _answers(port: int) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/ready") as answer,
        ):
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _measure(
    contender: Contender, plan: tuple[int, bool], of: Bots, pid: int, options: Options
) -> None:
    port, pids = of
    people = int((options.seconds + WARM_UP) * AT_MOST)
    first = contender.some(people)
    database = await plain(contender.url)
    await database.execute("CHECKPOINT")
    load_of = (contender.rounds, first, people, options.seconds, WARM_UP, CONCURRENCY)
    async with module("benchmarks.taps", contender.channel, port, contender.data, *load_of) as load:
        await line_of(load)
        before = await database.fetchval(contender.effects)
        own, theirs = sum(map(cpu, pids)), cpu(pid, children=True)
        load.stdin.write(b"\n")
        found = json.loads(await line_of(load, options.seconds + 60))
        own, theirs = sum(map(cpu, pids)) - own, cpu(pid, children=True) - theirs
        done = await database.fetchval(contender.effects) - before
    await database.close()
    if done != found["good"] or found["ran_out"]:
        raise RuntimeError(f"{contender.name}: {done} effects for {found['good']} answers of 200")
    times = [1000 * one for one in found["latencies"]]
    made = Run(
        rate=done / found["seconds"],
        p50=quantile(times, 0.5),
        p99=quantile(times, 0.99),
        process_cpu=1000 * own / done,
        database_cpu=1000 * theirs / done,
        bad=found["bad"],
        load_cpu=found["cpu"] / found["seconds"],
    )
    contender.runs.setdefault(plan, []).append(made)
    log.info(
        "%-16s %s %4.0f/s p50 %.0f p99 %.0f ms, CPU %.2f + %.2f ms, bad %d, generator %.2f",
        contender.name, plan, made.rate, made.p50, made.p99, made.process_cpu, made.database_cpu,
        made.bad, made.load_cpu,
    )  # fmt: skip


async def _statements(contender: Contender, port: int, at_once: int) -> str:
    """Statements of a turn, as PostgreSQL logs them; BEGIN and COMMIT apart."""
    first = contender.some(COUNTED)
    database = await plain(contender.url)
    log = Path(await database.fetchval("SHOW data_directory")) / "log"
    await _log_statements(database, "all")
    mark = len(_read(log))
    data = (contender.data, contender.rounds, first, COUNTED, 60, 0, at_once)
    async with module("benchmarks.taps", contender.channel, port, *data) as load:
        await line_of(load)
        load.stdin.write(b"\n")
        found = json.loads(await line_of(load))
    await _log_statements(database, "none")
    await database.close()
    lines = _logged(log, mark)
    bounds = sum(bool(re.match(r"(BEGIN|COMMIT|ROLLBACK)", line)) for line in lines)
    others = len(lines) - bounds
    return f"{others / found['good']:.2g} + {bounds / found['good']:.2g}"


async def _log_statements(database: asyncpg.Connection, which: str) -> None:
    await database.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
    await database.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)  # every backend reads its settings before its next statement


def _logged(log: Path, mark: int) -> list[str]:
    written = _read(log)[mark:].decode(errors="replace")
    found = re.findall(r"(?:statement|execute [^:]*): (.*)", written)
    noise = ("ALTER SYSTEM", "SELECT pg_reload_conf", "SELECT 1", "SELECT installation")
    return [line for line in found if not line.startswith(noise)]


def _read(log: Path) -> bytes:
    files = sorted(log.iterdir()) if log.is_dir() else [log]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def _tables(
    ours: Contender,
    theirs: Contender,
    whatsapp: Contender,
    options: Options,
) -> Tables:
    made = Made(
        "inbound: taps of 'I have read it', committed effects",
        ("bot", "processes", "answers", "turns/s", "lowest-highest", "ratio", "p50 ms", "p99 ms",
         "CPU ms/turn", "of it database", f"statements + bounds: 1 · {CONCURRENCY} at once"),
        note=f"medians of {options.repeat} runs of {options.seconds:.0f} s, {CONCURRENCY} at once;"
        " 'stored': replies wait in the outbox, no toast (the rival: a stub inside it);"
        " 'sent': all goes to a stub over HTTP",
    )  # fmt: skip
    for plan in PLANS:
        base = _rate(theirs, plan)
        for contender in (ours, theirs):
            _row(made, contender, plan, _rate(contender, plan) / base)
    for plan in PLANS[:2]:
        _row(made, whatsapp, plan, _rate(whatsapp, plan) / _rate(theirs, plan))
    return [made]


def _rate(contender: Contender, plan: tuple[int, bool]) -> float:
    return median([one.rate for one in contender.runs.get(plan, [])])


def _row(made: Made, contender: Contender, plan: tuple[int, bool], ratio: float) -> None:
    runs = contender.runs.get(plan, [])
    if not runs or math.isnan(ratio):
        return
    rates = [one.rate for one in runs]
    made.add(
        contender.name, plan[0], "stored" if plan[1] else "sent", f"{median(rates):.0f}",
        f"{min(rates):.0f}-{max(rates):.0f}", f"{ratio:.2f}",
        f"{median([one.p50 for one in runs]):.1f}", f"{median([one.p99 for one in runs]):.1f}",
        f"{median([one.process_cpu + one.database_cpu for one in runs]):.2f}",
        f"{median([one.database_cpu for one in runs]):.2f}", contender.statements,
    )  # fmt: skip
