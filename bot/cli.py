"""The command line `zhiyn`. A command that sends nothing does not import the messengers."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from core.clock import use_zone
from core.settings import Settings, SettingsWrong, check_to_serve, demo_secret, load

if TYPE_CHECKING:
    from bot.database import Database
    from services.unit import Unit

T = TypeVar("T")

cli = typer.Typer(
    help="Zhiyn: village gatherings, notices and petitions in Telegram and WhatsApp.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
territory = typer.Typer(help="Places: import КАТО, look one up.", no_args_is_help=True)
roles = typer.Typer(help="Roles: who holds which, taking one back.", no_args_is_help=True)
rulebook = typer.Typer(help="The rulebook: values per place, with the act.", no_args_is_help=True)
key = typer.Typer(help="The key that opens the installation's keys.", no_args_is_help=True)
for _name, _group in (
    ("territory", territory), ("roles", roles), ("rulebook", rulebook), ("key", key)
):  # fmt: skip
    cli.add_typer(_group, name=_name)

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


@cli.command()
def serve() -> None:
    """Run the bot: messengers, delivery, clock, web server. Ctrl-C stops it."""
    from bot import logs
    from bot.serve import serve as run

    settings = _settings()
    check_to_serve(settings)
    logs.set_up(settings.log_level)
    asyncio.run(run(settings))


@cli.command()
def demo(
    reset: Annotated[bool, typer.Option("--reset", help="Forget the demo's data first.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    port: Annotated[int, typer.Option(help="Of the page; the bot takes the next one.")] = 8000,
    data: Annotated[Path | None, typer.Option(help="Folder for the demo's data.")] = None,
) -> None:
    """See it work: emulated messengers, a village of 942, a page in the browser."""
    from bot.demo import run

    asyncio.run(run(data, port, open_browser=browser, reset=reset))


@cli.command()
def migrate(
    to: Annotated[str, typer.Argument(help="A revision, or head, or base.")] = "head",
) -> None:
    """Bring the database's schema up to date (or back, keeping what the older one can hold)."""

    async def work(database: "Database") -> None:
        from bot.database import migrate

        await migrate(database.work, to)

    _with_database(work, check=False)
    typer.echo(f"The schema is at {to}.")


@cli.command()
def invite(
    role: Annotated[str, typer.Option(help="akim, clerk, deputy, supervisor, operator.")],
    place: Annotated[str, typer.Option(help="КАТО code, e.g. 595041000.")],
    until: Annotated[
        str | None, typer.Option(help="The last day of the role, e.g. 2029-09-01.")
    ] = None,
    powers: Annotated[
        str | None, typer.Option(help="Of a clerk: send,urgent,correct,report. Without: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a one-time invitation: its code, both deep links, how long it is valid."""
    from services.roles import RoleName

    if role not in list(RoleName):
        _fail(f"--role: one of {', '.join(RoleName)}")

    async def work(database: "Database") -> dict[str, str]:
        from bot.command import unit_of
        from bot.roles_cli import invited

        async with unit_of(database, _settings()) as unit:
            code, valid_until = await invited(unit, RoleName(role), place, until, powers)
            links = await _links(unit, f"i_{code}")
            return {"code": f"i_{code}", **links, "valid_until": valid_until}

    found = _with_database(work)
    _print(found, as_json)
    if not as_json:
        _print_qr(found)
    if not {"telegram", "whatsapp"} & found.keys():
        typer.echo("The links appear once zhiyn serve has run with a messenger set up.", err=True)


@roles.command("list")
def roles_list(
    place: Annotated[str | None, typer.Option(help="КАТО code: there and below.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who holds which role, and the invitations that wait."""

    async def work(database: "Database") -> dict[str, Any]:
        from bot.command import unit_of
        from bot.roles_cli import listed

        async with unit_of(database, _settings()) as unit:
            return await listed(unit, place)

    found = _with_database(work)
    if as_json:
        return _print(found, as_json)
    from bot.roles_cli import lines

    for line in lines(found):
        typer.echo(line)


@roles.command("revoke")
def roles_revoke(
    id: Annotated[str, typer.Argument(help="Of a role or an invitation: see roles list.")],
) -> None:
    """Take a role back, or make an unused invitation void. The person is told."""

    async def work(database: "Database") -> str:
        from bot.command import unit_of
        from bot.roles_cli import revoked

        async with unit_of(database, _settings()) as unit:
            return await revoked(unit, id)

    typer.echo(_with_database(work))


@rulebook.command("show")
def rulebook_show(
    name: Annotated[str | None, typer.Argument(help="One rule; without: all.")] = None,
    place: Annotated[str | None, typer.Option(help="КАТО code. Without: the installation.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="What was decided of it for exactly this place.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The rules in force at a place, where each was decided and by which act."""
    if history and name is None:
        _fail("--history: of which rule? zhiyn rulebook show NAME --history")

    async def work(database: "Database") -> list[dict[str, Any]]:
        from sqlalchemy.ext.asyncio import AsyncSession

        from bot import rulebook_cli

        async with AsyncSession(database.work) as session:
            if history and name is not None:
                return await rulebook_cli.history(session, place, name)
            return await rulebook_cli.show(session, place, name)

    found = _with_database(work)
    if as_json:
        return _print(found, as_json)
    from bot import rulebook_cli

    if history:
        for line in rulebook_cli.history_lines(found):
            typer.echo(line)
        return None
    from rich.console import Console

    return Console().print(rulebook_cli.table(found))


@rulebook.command("set")
def rulebook_set(
    name: Annotated[str, typer.Argument(help="See rulebook show.")],
    value: Annotated[str, typer.Argument(help='A number, "21:00", or "urgent,utilities".')],
    act: Annotated[str, typer.Option(help="The deciding act: its body, date and number.")],
    place: Annotated[str | None, typer.Option(help="КАТО code. Without: the installation.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set a rule for a place and everything in it. Open procedures keep theirs."""
    _print(_decide(name, value, place, act), as_json)


@rulebook.command("unset")
def rulebook_unset(
    name: Annotated[str, typer.Argument(help="See rulebook show.")],
    act: Annotated[str, typer.Option(help="The deciding act: its body, date and number.")],
    place: Annotated[str | None, typer.Option(help="КАТО code. Without: the installation.")] = None,
    as_json: AsJson = False,
) -> None:
    """Back to the value from above."""
    _print(_decide(name, None, place, act), as_json)


def _decide(name: str, value: str | None, place: str | None, act: str) -> dict[str, Any]:
    async def work(database: "Database") -> dict[str, Any]:
        from bot.command import unit_of
        from bot.rulebook_cli import decide

        async with unit_of(database, _settings()) as unit:
            return await decide(unit, name, value, place, act)

    return _with_database(work)


@key.command("rotate")
def key_rotate() -> None:
    """Wrap the keys with another SECRET_KEY: SECRET_KEY_NEW of the environment, or typed in."""
    new = os.environ.get("SECRET_KEY_NEW") or typer.prompt(
        "The new SECRET_KEY (openssl rand -hex 32)", hide_input=True, confirmation_prompt=True
    )
    settings = _settings()

    async def work(database: "Database") -> Path | None:
        from bot.key_cli import rotate

        file = None if load().secret_key or settings.database_url else settings.data_dir
        return await rotate(
            database, settings.secret_key or "", new.strip(), file and file / "secret_key"
        )

    file = _with_database(work)
    where = f"{file} holds the new key" if file else "Put it into SECRET_KEY (.env) now"
    typer.echo(f"The keys are wrapped with the new SECRET_KEY. {where}; keep a copy apart.")
    typer.echo("Running processes go on. The old key opens only backups made before this moment.")


@cli.command()
def doctor(
    replay: Annotated[bool, typer.Option("--replay", help="Deal with kept updates again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, database, messengers, templates, clock, audit chain; list what failed."""

    async def work(database: "Database") -> dict[str, Any]:
        from bot.doctor import examine

        return await examine(database, _settings(), replay=replay)

    found = _with_database(work, check=False)
    if as_json:
        _print(found, as_json)
    else:
        from bot.doctor import lines

        for line in lines(found):
            typer.echo(line)
    if not found["healthy"]:
        raise typer.Exit(1)


@territory.command("import")
def territory_import(
    file: Annotated[Path, typer.Argument(help="КАТО as .csv or the Bureau's .xlsx.")],
    force: Annotated[
        bool, typer.Option("--force", help="Even if a fifth of the known places vanish.")
    ] = False,
) -> None:
    """Import КАТО: all of it or nothing; again and again."""

    async def work(database: "Database") -> bool:
        from rich.console import Console
        from sqlalchemy.ext.asyncio import async_sessionmaker

        from bot.command import clock_of
        from bot.territory_cli import import_with_bar

        sessions = async_sessionmaker(database.work, expire_on_commit=False)
        now = (await clock_of(database)).now()
        report = await import_with_bar(sessions, file, now, Console(stderr=True), force)
        return report is not None

    if not file.exists():
        _fail(f"{file}: no such file")
    if not _with_database(work):
        raise typer.Exit(1)


@territory.command("show")
def territory_show(
    code: Annotated[str, typer.Argument(help="КАТО code.")], as_json: AsJson = False
) -> None:
    """What is known of a place: names, what lies above and below it, its history."""

    async def work(database: "Database") -> dict[str, Any]:
        from sqlalchemy.ext.asyncio import async_sessionmaker

        from bot.command import unit_of
        from bot.territory_cli import show
        from services.territory import UnknownPlace

        try:
            found = await show(async_sessionmaker(database.work), code)
        except UnknownPlace:
            raise _Failed(f"no place {code}") from None
        settings = _settings()
        if settings.secret_key:
            async with unit_of(database, settings) as unit:
                found["links"] = await _links(unit, f"v_{code}")
        return found

    found = _with_database(work)
    if as_json:
        return _print(found, as_json)
    from bot.territory_cli import show_lines

    links = found.pop("links", {})
    for line in show_lines(found):
        typer.echo(line)
    _print(links, as_json)


class _Failed(Exception):
    """The command cannot do it; the text says why in one line."""


async def _links(unit: "Unit", payload: str) -> dict[str, str]:
    """How people are led here with this payload, on each messenger that is set up."""
    from services import installation

    accounts = await installation.accounts(unit.session, unit.keyring)
    return installation.links_of(accounts).starts(payload)


def _print_qr(links: dict[str, str]) -> None:
    """The links as pictures for a phone's camera, where the terminal is a person's."""
    if not sys.stdout.isatty():
        return
    import segno

    for name in ("telegram", "whatsapp"):
        if name in links:
            typer.echo(f"\n{name}:")
            segno.make(links[name], error="m").terminal(compact=True)


def _settings() -> Settings:
    """What the environment says, its zone in force: every command counts days as serve does."""
    settings = load()
    use_zone(settings.timezone)
    if settings.secret_key is None and settings.database_url is None:
        settings.secret_key = demo_secret(settings.data_dir)
    return settings


def _with_database(work: Callable[["Database"], Awaitable[T]], *, check: bool = True) -> T:
    """Opens the database, works, closes it."""
    from bot.database import connect, ready

    async def run() -> T:
        database = await connect(_settings())
        try:
            if check:
                await ready(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {value}")


def _fail(line: str) -> None:
    typer.echo(line, err=True)
    raise typer.Exit(2)


def main() -> None:
    """Runs the command line; what is wrong is said in one line each, without a traceback."""
    try:
        cli()
    except SettingsWrong as wrong:
        for line in wrong.lines:
            typer.echo(line, err=True)
        sys.exit(2)
    except _Failed as failed:
        typer.echo(str(failed), err=True)
        sys.exit(2)
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        typer.echo(known, err=True)
        sys.exit(1)


def _known(error: Exception) -> str | None:
    """One line for what operators meet."""
    name = type(error).__name__
    if name in ("RuleWrong", "RoleWrong", "KeyWrong"):
        return str(error)
    if name == "UnknownPlace":
        return f"--place: no place {error}. Was КАТО imported?"
    if name == "MigrationsPending":
        return "The database is older than the program. Run: zhiyn migrate"
    if name == "DatabaseNewer":
        return "The database is newer than the program. Install the newer Zhiyn"
    if name == "SealBroken":
        return "SECRET_KEY: not the one that this installation's keys were made with"
    if name == "CalledProcessError":
        return "The embedded database does not start: see DATA_DIR/postgresql/log"
    if isinstance(error, OSError) and error.errno == 98:
        return "PORT: taken by another program; set PORT to a free one"
    if isinstance(error, OSError) or name in ("InvalidPasswordError", "InvalidCatalogNameError"):
        return f"The database or the network does not answer: {name}"
    return None
