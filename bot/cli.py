"""The command line `zhiyn`. A command that sends nothing does not import the messengers."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

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
cli.add_typer(territory, name="territory")

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
    as_json: AsJson = False,
) -> None:
    """Make a one-time invitation: its code and both deep links."""
    from services.roles import RoleName

    if role not in list(RoleName):
        _fail(f"--role: one of {', '.join(RoleName)}")

    async def work(database: "Database") -> dict[str, str]:
        from bot.command import unit_of
        from services import roles, territory

        async with unit_of(database, _settings()) as unit:
            if await territory.find_place(unit.session, place) is None:
                raise _Failed(f"--place: no place {place}. Was КАТО imported?")
            code = await roles.invite(unit, RoleName(role), place)
            return {"code": f"i_{code}", **await _links(unit, f"i_{code}")}

    found = _with_database(work)
    _print(found, as_json)
    if not as_json:
        _print_qr(found)
    if len(found) == 1:
        typer.echo("The links appear once zhiyn serve has run with a messenger set up.", err=True)


@cli.command()
def doctor(
    replay: Annotated[bool, typer.Option("--replay", help="Deal with kept updates again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, database, time zone, audit chain; list updates that failed."""

    async def work(database: "Database") -> dict[str, Any]:
        from bot.doctor import examine

        return await examine(database, _settings(), replay=replay)

    found = _with_database(work, check=False)
    _print(found, as_json)
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
    settings = load()
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
    if name == "MigrationsPending":
        return "The database is older than the program. Run: zhiyn migrate"
    if name == "DatabaseNewer":
        return "The database is newer than the program. Install the newer Zhiyn"
    if name == "SealBroken":
        return "SECRET_KEY: not the one that this installation's keys were made with"
    if isinstance(error, OSError) and error.errno == 98:
        return "PORT: taken by another program; set PORT to a free one"
    if isinstance(error, OSError) or name in ("InvalidPasswordError", "InvalidCatalogNameError"):
        return f"The database or the network does not answer: {name}"
    return None
