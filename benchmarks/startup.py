"""How soon the program is there, and how much memory it takes."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.names import AUTH, SECRET, SENDER, SID, TOKEN
from benchmarks.processes import ROOT, free_port, line_of, memory, module, stop
from benchmarks.results import Made, Options, Tables, median
from bot.database import stop_leftover


async def run(options: Options) -> Tables:
    """The command line, a serving process, the demo's second start."""
    made = Made(
        "start-up and memory",
        ("what", "seconds", "CPU seconds", "budget", "RSS MB", "budget MB"),
        note="first starts make and migrate their database",
    )
    await _help(made, options.repeat)
    await _serve(made)
    await _demo(made)
    return [made]


async def _help(made: Made, repeat: int) -> None:
    walls, cpus = [], []
    for _ in range(repeat):
        began, spent = time.perf_counter(), os.times()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "--help", cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
        )
        await process.wait()
        now = os.times()
        walls.append(time.perf_counter() - began)
        cpus.append(now[2] + now[3] - spent[2] - spent[3])
    made.add("zhiyn --help", f"{median(walls):.2f}", f"{median(cpus):.2f}", "0.7", "", "")


async def _serve(made: Made) -> None:
    """`zhiyn serve` itself, on its embedded database, both messengers on the stub."""
    with tempfile.TemporaryDirectory(prefix="zhiyn-bench-", ignore_cleanup_errors=True) as folder:
        data, stub_port, port = Path(folder) / "data", free_port(), free_port()
        async with module("benchmarks.stub", stub_port) as stub:
            await line_of(stub)
            for name in ("serve, first start", "serve, second start"):
                environment = _environment(data, port, f"http://127.0.0.1:{stub_port}")
                async with _program(environment, "serve") as (process, began):
                    await _answers(process, f"http://127.0.0.1:{port}/ready")
                    took = time.perf_counter() - began
                    await asyncio.sleep(3)
                    made.add(name, f"{took:.1f}", "", "", f"{memory(process.pid):.0f}", "300")
        stop_leftover(data / "postgresql")


async def _demo(made: Made) -> None:
    with tempfile.TemporaryDirectory(prefix="zhiyn-bench-", ignore_cleanup_errors=True) as folder:
        data, port = Path(folder) / "demo", free_port()
        given = ("demo", "--no-browser", "--data", str(data), "--port", str(port))
        for name, budget in (("demo, first start", ""), ("demo, second start", "10")):
            async with _program(dict(os.environ), *given) as (process, began):
                while b"Open" not in (line := await process.stdout.readline()):
                    if not line:
                        raise RuntimeError(f"the demo ended: {await process.wait()}")
                took = time.perf_counter() - began
                used = f"{memory(process.pid):.0f}"
                made.add(name, f"{took:.1f}", "", budget, used, "")
        stop_leftover(data / "postgresql")


@asynccontextmanager
async def _program(
    environment: dict[str, str], *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, float]]:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process, began
    finally:
        await stop(process, 20)


def _environment(data: Path, port: int, platforms: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATA_DIR": str(data),
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": "webhook-secret",
        "TELEGRAM_API_URL": platforms,
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": AUTH,
        "TWILIO_WHATSAPP_FROM": SENDER,
        "TWILIO_API_URL": platforms,
        "LOG_LEVEL": "WARNING",
    }


async def _answers(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(90), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                if process.returncode is not None:
                    raise RuntimeError(f"it ended: {process.returncode}") from None
            await asyncio.sleep(0.05)
