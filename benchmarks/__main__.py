"""`python -m benchmarks [name …]`: runs the benchmarks and prints a table each."""

import argparse
import asyncio
import importlib
import json
import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.results import Options, Skipped, Tables

NAMES = ("startup", "micro", "search", "inbound", "audience", "broadcast")
console = Console(width=None if sys.stdout.isatty() else 150)


def _options() -> tuple[list[str], Options, Path | None, bool]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; or all")
    parser.add_argument("--full", action="store_true", help="broadcast to 3,000, not 1,200")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which medians are taken")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each inbound run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell each run")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}")
    options = Options(given.full, max(given.repeat, 1), given.seconds)
    return given.names or list(NAMES), options, given.json, given.verbose


def _show(tables: Tables) -> None:
    for made in tables:
        table = Table(title=made.title, caption=made.note or None, title_justify="left")
        for number, column in enumerate(made.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in made.rows:
            table.add_row(*(str(cell) for cell in row))
        console.print(table)


def main() -> int:
    """Runs what was named; one that fails does not keep the others from running."""
    names, options, file, verbose = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop our servers all the same
    if verbose:
        logging.basicConfig(format="%(asctime)s %(message)s")
        logging.getLogger("benchmarks").setLevel(logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    load = os.getloadavg()[0]
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {load:.2f}"
    )
    figures, failed = {}, 0
    for name in names:
        began = time.perf_counter()
        try:
            with console.status(f"{name} …"):
                tables = asyncio.run(importlib.import_module(f"benchmarks.{name}").run(options))
        except Skipped as skipped:
            console.print(f"{name}: skipped, {skipped}")
            continue
        except Exception:
            console.print_exception()
            failed += 1
            continue
        _show(tables)
        console.print(f"[dim]{name} took {time.perf_counter() - began:.0f} s[/dim]\n")
        figures[name] = [table.as_dict() for table in tables]
    if file is not None:
        file.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
