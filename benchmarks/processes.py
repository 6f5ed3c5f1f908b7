"""Other processes of a benchmark: started by us, measured by /proc, stopped by us."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def module(name: str, *arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m name …`; gone at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", name, *(str(one) for one in arguments),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        start_new_session=True, preexec_fn=_ends_with_us, limit=64 * 2**20,
    )  # fmt: skip
    try:
        yield process
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process, patience: float = 3) -> None:
    """Politely, then not: answers that are queued need not go out."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()


async def line_of(process: asyncio.subprocess.Process, seconds: float = 60) -> str:
    """Its next line. Raises RuntimeError when it ends without one."""
    line = await asyncio.wait_for(process.stdout.readline(), seconds)
    if not line:
        raise RuntimeError(f"process {process.pid} ended: {await process.wait()}")
    return line.decode().strip()


def cpu(pid: int, *, children: bool = False) -> float:
    """CPU seconds so far, of the process, or of its children: those that live and that ended."""
    if not children:
        own = _stat(pid)
        return (own[0] + own[1]) / _TICK
    ended = _stat(pid)
    return (ended[2] + ended[3] + sum(sum(_stat(child)[:2]) for child in _children(pid))) / _TICK


def memory(pid: int) -> float:
    """Resident MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def listeners(port: int) -> int:
    """How many sockets listen on this port: one a process that shares it."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    wanted = f"0100007F:{port:04X}"
    return sum(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines)


def _ends_with_us() -> None:
    """SIGTERM when the benchmark dies, so that nothing is left behind (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _stat(pid: int) -> list[int]:
    """utime, stime, cutime, cstime in ticks; zeros for one that is gone."""
    try:
        rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0, 0, 0, 0]
    return [int(value) for value in rest[11:15]]


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
