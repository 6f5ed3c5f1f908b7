"""What survives a restart: objects written behind within a second, ids reserved ahead."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

FLUSH_SECONDS: Final = 0.25
BLOCK: Final = 50  # ids reserved at once; after a kill at most that many are skipped

SCHEMA: Final = """
create table if not exists object (kind text, key text, body text, primary key (kind, key));
create table if not exists counter (name text primary key, reserved integer not null);
create table if not exists file (id text primary key, meta text not null, content blob not null);
"""


class Store:
    """A folder with one sqlite file, or nothing but memory when no folder is given."""

    def __init__(self, folder: Path | None) -> None:
        self._db = _open(folder)
        self._dirty: dict[tuple[str, str], Callable[[], Json] | None] = {}
        self._counters: dict[str, tuple[int, int]] = {}
        self._files: dict[str, tuple[Json, bytes]] = {}
        self._task: asyncio.Task[None] | None = None

    # ids ------------------------------------------------------------------------------------
    def next_id(self, name: str, first: int = 1) -> int:
        """The next number of that name: never given twice, across restarts and kills."""
        last, reserved = self._counters.get(name) or self._reserved(name, first)
        if last + 1 > reserved:
            reserved = last + BLOCK
            self._reserve(name, reserved)
        self._counters[name] = (last + 1, reserved)
        return last + 1

    def _reserved(self, name: str, first: int) -> tuple[int, int]:
        if self._db is None:
            return first - 1, first - 1
        row = self._db.execute("select reserved from counter where name = ?", (name,)).fetchone()
        last = int(row[0]) if row else first - 1
        return last, last

    def _reserve(self, name: str, reserved: int) -> None:
        if self._db is None:
            return
        self._db.execute("insert or replace into counter values (?, ?)", (name, reserved))
        self._db.commit()

    # objects --------------------------------------------------------------------------------
    def put(self, kind: str, key: str, body: Callable[[], Json]) -> None:
        """Remembers to write the object soon; `body` is asked at that moment."""
        if self._db is not None:
            self._dirty[(kind, key)] = body

    def drop(self, kind: str, key: str) -> None:
        """Remembers to remove the object soon."""
        if self._db is not None:
            self._dirty[(kind, key)] = None

    def load(self, kind: str) -> list[Json]:
        """All objects of a kind as they were last written."""
        if self._db is None:
            return []
        rows = self._db.execute("select body from object where kind = ? order by rowid", (kind,))
        return [json.loads(body) for (body,) in rows]

    def clear(self) -> None:
        """Forgets every object and file; ids go on where they were."""
        self._dirty.clear()
        self._files.clear()
        if self._db is not None:
            self._db.execute("delete from object")
            self._db.execute("delete from file")
            self._db.commit()

    def flush(self) -> None:
        """Writes what waits, in one transaction."""
        if self._db is None or not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        for (kind, key), body in dirty.items():
            self._write(self._db, kind, key, body)
        self._db.commit()

    def _write(
        self, db: sqlite3.Connection, kind: str, key: str, body: Callable[[], Json] | None
    ) -> None:
        if body is None:
            db.execute("delete from object where kind = ? and key = ?", (kind, key))
            return
        text = json.dumps(body(), ensure_ascii=False)
        db.execute(
            "insert into object values (?, ?, ?)"
            " on conflict (kind, key) do update set body = excluded.body",
            (kind, key, text),
        )

    # files ----------------------------------------------------------------------------------
    def put_file(self, file_id: str, meta: Json, content: bytes) -> None:
        """Keeps a file's bytes with what is known of it (name, mime, size)."""
        if self._db is None:
            self._files[file_id] = (meta, content)
            return
        self._db.execute(
            "insert or replace into file values (?, ?, ?)", (file_id, json.dumps(meta), content)
        )
        self._db.commit()

    def file(self, file_id: str) -> tuple[Json, bytes] | None:
        """The file's description and bytes, None when there is no such file."""
        if self._db is None:
            return self._files.get(file_id)
        row = self._db.execute("select meta, content from file where id = ?", (file_id,)).fetchone()
        return (json.loads(row[0]), bytes(row[1])) if row else None

    # life -----------------------------------------------------------------------------------
    def start(self) -> None:
        """Begins to write behind."""
        if self._db is not None:
            self._task = asyncio.create_task(self._write_behind())

    async def stop(self) -> None:
        """Writes the rest and closes."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.flush()
        if self._db is not None:
            self._db.close()

    async def _write_behind(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.flush()


def _open(folder: Path | None) -> sqlite3.Connection | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "emulator.sqlite3", check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.executescript(SCHEMA)
    return db
