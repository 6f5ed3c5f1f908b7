"""A notice to an audience of 100,000: resolved, planned and queued in one transaction."""

import time

from benchmarks.ground import ground, make_database, plain, postmaster, server
from benchmarks.names import FIRST_CHAT, FIRST_PHONE, TELEGRAM, WHATSAPP
from benchmarks.processes import cpu
from benchmarks.results import Made, Options, Tables, median

PEOPLE = 100_000  # half of them on each messenger


async def run(options: Options) -> Tables:
    """Seconds from the akim's "send" to the commit: everybody has a row in the outbox."""
    made = Made(
        "audience: a notice resolved and queued",
        ("residents", "queued", "s", "lowest-highest", "CPU s: ours", "database"),
        note=f"medians of {options.repeat} notices one after the other, each in one transaction",
    )
    async with server() as running:
        url = await make_database(running, "audience")
        base = await ground(url)
        await base.people(TELEGRAM, [str(FIRST_CHAT + n) for n in range(PEOPLE // 2)])
        await base.people(WHATSAPP, [f"+{FIRST_PHONE + n}" for n in range(PEOPLE // 2)])
        author, pid = await base.akim(TELEGRAM, "999"), await postmaster(url)
        took, own, theirs = [], [], []
        for _ in range(options.repeat):
            marks = time.process_time(), cpu(pid, children=True)
            began = time.perf_counter()
            notice = await base.notice(author)
            took.append(time.perf_counter() - began)
            own.append(time.process_time() - marks[0])
            theirs.append(cpu(pid, children=True) - marks[1])
        database = await plain(url)
        queued = await database.fetchval(
            "SELECT count(*) FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
            " WHERE m.notice_id = $1",
            notice,
        )
        await database.close()
        await base.close()
    if queued != PEOPLE:
        raise RuntimeError(f"{queued} of {PEOPLE} were queued")
    made.add(
        PEOPLE, queued, f"{median(took):.2f}", f"{min(took):.2f}-{max(took):.2f}",
        f"{median(own):.2f}", f"{median(theirs):.2f}",
    )  # fmt: skip
    return [made]
