"""`zhiyn demo`: the emulated messengers, a village of 942 and the real program between them.

The emulator runs as a process of its own and knows nothing of us; it is driven over its control
address as a person at the page would drive it.
"""

import asyncio
import fcntl
import os
import re
import shutil
import signal
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientTimeout, web
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import demo_people, logs
from bot.app import App, make_app
from bot.database import ROOT, Database, connect, ready, stop_leftover
from bot.demo_people import TELEGRAM, WHATSAPP, MadeUp
from bot.serve import listen, stop_signal
from bot.webhooks import APP
from conversation.message import AliasKind
from core.clock import local
from core.languages import Language
from core.settings import Settings, demo_secret, load
from core.texts import T, texts
from models.people import Resident
from rules.notices import quiet_until
from rules.rulebook import DEFAULTS
from services import audit, installation, intake, residents, roles
from services.residents import Registration
from services.roles import RoleName
from services.territory_import import DEMO_PLACES, import_territory
from services.unit import Unit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

OKRUG = "595041000"  # Бугровский сельский округ: the worked example of LAW part 1
# The emulator's own credentials; they open nothing else.
TOKEN = "595041:demo-token-of-the-emulated-bot"  # noqa: S105
BOT = "zhiyn_demo_bot"
SID = "AC" + "5950410" * 4 + "0000"
AUTH = "demo-token-of-the-emulated-account"
SENDER = "whatsapp:+77000595041"
DISTRICT = "595000000"
SEEDED = "seeded"  # the file that says: the village has moved in
RUNNING = "running"  # the file that is locked while a demo runs on the folder
KK, RU = Language.KK, Language.RU
_ARGUMENTS = (
    "village",
    "path",
    "name",
    "street",
    "birth",
    "day",
    "age",
    "phone",
    "done",
    "total",
    "role",
    "place",
)
AKIM, NEWCOMER, VILLAGER, DEPUTY = "akim", "aigul", "petr", "saule"
NEWCOMER_AGAIN = "aigul-whatsapp"  # the same person with the same number, on the other messenger
SENT = ("live-sending", "live-finished", "live-paused", "live-cancelled")  # a notice that went out
MORNING = 10  # o'clock: when the village is shown, if it is night

out = Console()


@dataclass(slots=True)
class Messengers:
    """The emulator's process, and its control address."""

    base: str
    http: ClientSession
    process: asyncio.subprocess.Process

    async def post(self, path: str, **body: Any) -> Any:
        """One control call. Raises RuntimeError with the emulator's own words when refused."""
        async with self.http.post(f"{self.base}/emulator/{path}", json=body) as answer:
            found = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"emulator: {path}: {found}")
            return found

    async def get(self, path: str, **query: str) -> Any:
        """One look."""
        async with self.http.get(f"{self.base}/emulator/{path}", params=query) as answer:
            found = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"emulator: {path}: {found}")
            return found

    async def say(self, person: str, text: str, then: str) -> None:
        """The person writes, and waits for an answer that holds these words."""
        await self._act(person, "say", then, text=text)

    async def tap(self, person: str, button: str, then: str) -> None:
        """The person taps, and waits for an answer that holds these words."""
        await self._act(person, "tap", then, button=button)

    async def _act(self, person: str, act: str, then: str, **what: str) -> None:
        chat = await self.get(f"people/{person}/chat")
        after = max((message["seq"] for message in chat["messages"]), default=0)
        await self.post(f"people/{person}/{act}", **what)
        await self.get(f"people/{person}/wait", contains=then, after=str(after), timeout="20")


async def run(
    data: Path | None, port: int, *, open_browser: bool = True, reset: bool = False
) -> None:
    """Runs the demo until Ctrl-C; the data stays for the next start."""
    base = load()
    folder = (data or base.data_dir / "demo").absolute()
    with alone(folder):
        _check_free(port, port + 1)
        if reset or not (folder / SEEDED).exists():  # a first start that was broken off begins anew
            await asyncio.to_thread(_forget, folder)
        await _run(folder, port, open_browser)


async def _run(folder: Path, port: int, open_browser: bool) -> None:
    settings = _settings(folder, port)
    logs.set_up("ERROR", plain=True)
    out.print("[bold]Жиын · Zhiyn[/bold]  starting the database …")
    stopping = stop_signal()
    database = await connect(settings)
    try:
        await ready(database)
        async with _messengers(folder, port) as messengers:
            await _show(folder, settings, database, messengers, stopping, open_browser)
    finally:
        await database.close()


@contextmanager
def alone(folder: Path) -> "Iterator[None]":
    """No other demo runs on this folder meanwhile; a killed one holds it no longer. Raises
    SystemExit with what to do."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / RUNNING).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"The demo is running already, on the data in {folder}. Open its page in the"
                " browser, or stop it first with Ctrl-C where it was started. For a second one"
                " beside it: zhiyn demo --data ANOTHER_FOLDER --port 9000"
            ) from None
        yield


async def _show(
    folder: Path,
    settings: Settings,
    database: Database,
    messengers: Messengers,
    stopping: asyncio.Event,
    open_browser: bool,
) -> None:
    await messengers.post(
        "config",
        senders=[{"address": SENDER, "webhook": f"{settings.public_url}/whatsapp"}],
        clock_hook=f"{settings.public_url}/demo/clock",
    )
    app = await make_app(settings, database)
    runner = await listen(app, "127.0.0.1", _add_clock)
    try:
        await _let_it_be_day(app, messengers)
        await app.start()
        await app.announce()
        await _seed(app, messengers)
        (folder / SEEDED).touch()
        out.print(f"\n  Open  [bold cyan]{messengers.base}[/bold cyan]  in your browser.")
        out.print("  Ctrl-C stops everything; the data stays. make demo-reset starts over.\n")
        if open_browser and _has_screen():
            await asyncio.to_thread(webbrowser.open, messengers.base)
        await stopping.wait()
        out.print("Stopping …")
    finally:
        await runner.cleanup()
        await app.stop()


def _check_free(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise SystemExit(
                    f"Port {port} is taken by another program. make demo PORT=9000 takes 9000 and"
                    " the one after it."
                )


def _settings(folder: Path, port: int) -> Settings:
    base = f"http://127.0.0.1:{port}"
    return load(
        _env_file=None,
        database_url=None,
        data_dir=folder,
        secret_key=demo_secret(folder),
        public_url=f"http://127.0.0.1:{port + 1}",
        port=port + 1,
        telegram_token=TOKEN,
        telegram_mode="polling",
        telegram_api_url=base,
        twilio_account_sid=SID,
        twilio_auth_token=AUTH,
        twilio_whatsapp_from=SENDER,
        twilio_api_url=base,
    )


def _forget(folder: Path) -> None:
    stop_leftover(folder / "postgresql")
    for one in folder.iterdir():
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        elif one.name != RUNNING:
            one.unlink()


def _has_screen() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


# The messengers' process


@asynccontextmanager
async def _messengers(folder: Path, port: int) -> "AsyncIterator[Messengers]":
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", "--port", str(port), "--data", str(folder / "messengers"),
        "--bot", f"{TOKEN}={BOT}", "--twilio", f"{SID}:{AUTH}",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        base = await _address(process)
        async with ClientSession(timeout=ClientTimeout(60)) as http:
            yield Messengers(base, http, process)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        raise OSError(98, "the page's port is taken")
    return line.decode().partition(": ")[2].strip()


# The clock of the page


def _add_clock(server: web.Application) -> None:
    server.router.add_post("/demo/clock", _move_clock)


async def _move_clock(request: web.Request) -> web.Response:
    """The page says "next day": our clock goes as far ahead as the messengers'."""
    app, body = request.app[APP], await request.json()
    offset = timedelta(seconds=float(body["offset_seconds"]))
    async with AsyncSession(app.database.work) as session, session.begin():
        await installation.set_clock(session, offset)
    app.clock.offset = offset
    return web.json_response({"offset": offset.total_seconds()})


async def _let_it_be_day(app: App, messengers: Messengers) -> None:
    """At night a notice would wait for the morning (DESIGN part 7), and so would whoever looks
    at the demo: the clocks of both go on to the next morning."""
    now = local(app.clock.now())
    if quiet_until(now, DEFAULTS.quiet_from, DEFAULTS.quiet_until) is None:
        return
    morning = now.replace(hour=MORNING, minute=0, second=0)
    while morning <= now:
        morning += timedelta(days=1)
    await messengers.post("clock", seconds=(morning - now).total_seconds())
    out.print(f"It is night in Kazakhstan: the demo's clock says {morning:%H:%M}.")


# The village


async def _seed(app: App, messengers: Messengers) -> None:
    """Places, residents, phones: once."""
    async with AsyncSession(app.database.work) as session:
        count = await session.scalar(
            select(func.count()).where(
                Resident.registered_at.is_not(None), Resident.deleted_at.is_(None)
            )
        )
    if count:
        out.print(f"The village is as you left it: {count} residents.")
        return await _guide(messengers)
    async with AsyncSession(app.database.work) as session, session.begin():
        await import_territory(session, DEMO_PLACES, app.clock.now(), partial=True)
    await _phones(messengers)
    await _officials(app, messengers)
    await _villager(messengers)
    await _residents(app, messengers)
    await _guide(messengers)


async def _phones(messengers: Messengers) -> None:
    """Whose phones the page shows."""
    people: Sequence[dict[str, Any]] = (
        {"id": NEWCOMER, "name": "Айгүл", "channel": "telegram", "phone": "+77015950411",
         "language": "kk", "role": "тұрғын · жительница", "colour": "#c2410c"},
        {"id": AKIM, "name": "Болат Сейітұлы", "channel": "telegram", "phone": "+77015950412",
         "language": "kk", "role": "әкім · аким", "colour": "#0f766e"},
        {"id": VILLAGER, "name": "Пётр", "channel": "whatsapp", "phone": "+77015950413",
         "language": "ru", "role": "тұрғын · житель", "colour": "#1d4ed8"},
        {"id": DEPUTY, "name": "Сәуле Омарова", "channel": "whatsapp", "phone": "+77015950414",
         "language": "kk", "role": "депутат", "colour": "#7e22ce"},
        {"id": NEWCOMER_AGAIN, "name": "Айгүл", "channel": "whatsapp", "phone": "+77015950411",
         "language": "kk", "role": "сол нөмір · тот же номер", "colour": "#c2410c"},
    )  # fmt: skip
    for person in people:
        await messengers.post("people", on_page=True, exist_ok=True, **person)


async def _officials(app: App, messengers: Messengers) -> None:
    """The akim and the deputy redeem their invitations as they would in life."""
    async with _unit(app) as unit:
        akim = await roles.invite(unit, RoleName.AKIM, OKRUG)
        deputy = await roles.invite(unit, RoleName.DEPUTY, DISTRICT)
    greeting, kazakh = _heard("first-contact", KK), texts().say(KK, T("language-kk"))
    granted = _heard("role-granted", KK)
    await messengers.post(f"people/{AKIM}/start_payload", payload=f"i_{akim}")
    await messengers.get(f"people/{AKIM}/wait", contains=greeting, timeout="20")
    await messengers.tap(AKIM, kazakh, granted)
    await messengers.say(DEPUTY, f"i_{deputy}", greeting)
    await messengers.tap(DEPUTY, kazakh, granted)


async def _villager(messengers: Messengers) -> None:
    """Пётр registered a while ago; his chat shows how."""
    answers = (
        ("Здравствуйте", "first-contact"),
        ("2", "consent-ask"),
        ("1", "name-ask"),
        ("Ткаченко Пётр", "village-ask"),
        ("бугравое", "village-confirm"),
        ("1", "street-ask"),
        ("1", "birth-ask"),
        ("14.06.1958", "summary-ask"),
        ("1", "registered"),
    )
    for text, then in answers:
        await messengers.say(VILLAGER, text, _heard(then, RU))


async def _residents(app: App, messengers: Messengers) -> None:
    """942 made-up residents, marked as such, each with a chat that exists in the emulator."""
    with Progress(console=out, transient=True) as progress:
        task = progress.add_task("The village moves in …", total=TELEGRAM + WHATSAPP)
        people = demo_people.made_up(TELEGRAM + WHATSAPP, app.clock.today())
        await messengers.post("people", count=TELEGRAM, channel="telegram", taps=0.45)
        await messengers.post("people", count=WHATSAPP, channel="whatsapp", taps=0.45)
        known = [p for p in await messengers.get("people") if not p["on_page"]]
        async with _unit(app) as unit:
            for chat, person in zip(known, people, strict=True):
                await _resident(app, unit, chat, person)
                progress.advance(task)
    out.print("942 residents of Бугровский сельский округ, all made up, are in.")


async def _resident(app: App, unit: Unit, chat: dict[str, Any], person: MadeUp) -> None:
    telegram = chat["channel"] == "telegram"
    account = next(a.id for a in app.accounts if a.channel == chat["channel"])
    alias = (
        (AliasKind.CHAT.value, str(chat["telegram_id"]))
        if telegram
        else (AliasKind.PHONE.value, chat["phone"])
    )
    address = await intake.new_address(unit, account, [alias])
    if address is None:
        raise RuntimeError("a chat of the emulator is known already")
    given = Registration(
        full_name=person.name,
        place_code=person.place_code,
        birth_date=person.birth_date,
        language=person.language,
        phone=chat["phone"],
        phone_proved=True,
        made_up=True,
    )
    await residents.register(unit, address.id, None, given)
    await intake.seed_language(unit, address.id, person.language, last_inbound=telegram)


@asynccontextmanager
async def _unit(app: App) -> "AsyncIterator[Unit]":
    async with AsyncSession(app.database.work, expire_on_commit=False) as session, session.begin():
        unit = Unit(session, app.keyring, app.clock.now(), "demo")
        yield unit
        await session.flush()
        await audit.write(unit)


async def _guide(messengers: Messengers) -> None:
    """The first minute, step by step."""
    done = {
        "register": (NEWCOMER, ("registered", "registered-minor")),
        "send": (AKIM, SENT),
        "read": (VILLAGER, ("notice-read-receipt",)),
        "join": (NEWCOMER_AGAIN, ("joined",)),
        "correct": (AKIM, ("correct-done",)),
        "more": None,
    }
    steps: list[dict[str, Any]] = []
    for name, when in done.items():
        step: dict[str, Any] = {
            one.value: texts().say(one, T(f"demo-guide-{name}")) for one in Language
        }
        if when is not None:
            person, keys = when
            heard = [_heard(key, one) for key in keys for one in Language]
            step["done_when"] = {"person": person, "contains": heard}
        steps.append(step)
    await messengers.post("guide", steps=steps)


def _heard(key: str, language: Language) -> str:
    """The longest piece of a text between its arguments and line breaks: it is known by that."""
    spoken = texts().say(language, T(key, **dict.fromkeys(_ARGUMENTS, "\0")))
    return max(re.split(r"[\0\n]", spoken), key=len).strip()
