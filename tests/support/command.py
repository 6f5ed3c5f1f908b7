"""`zhiyn` as the operator runs it: a process of its own on the test's database."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from support.database import SECRET, TestDatabase

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


async def zhiyn(db: TestDatabase, *words: str, **settings: str) -> Ran:
    """Runs the command to its end. Settings by their names; an empty one counts as not set."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "DATABASE_URL": db.database.url,
        "SECRET_KEY": SECRET,
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), err.decode())
