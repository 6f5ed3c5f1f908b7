"""The control API, who may use it, and what survives a kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from emulator.app import Emulator
from emulator.store import Store

if TYPE_CHECKING:
    from tests.emulator.conftest import Product

ROOT = Path(__file__).resolve().parents[2]


class Api:
    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base = base
        self.session = session

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        url = f"{self.base}/emulator/{path}"
        async with self.session.request(method, url, json=body, **options) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@pytest.fixture
def api(emulator: Emulator) -> Api:
    return Api(emulator.base, emulator.session())


async def bot_call(
    emulator_base: str, session: aiohttp.ClientSession, method: str, **body: Any
) -> Any:
    url = f"{emulator_base}/bot4242:test-token/{method}"
    async with session.post(url, json=body) as answer:
        return (await answer.json())["result"]


async def test_a_script_over_http(emulator: Emulator, api: Api) -> None:
    person = await api("POST", "people", {"id": "a", "name": "Айгүл", "on_page": True})
    assert await api("POST", "people", {"count": 2, "channel": "whatsapp"}) == ["wa-1", "wa-2"]
    act = await api("POST", "people/a/start_payload", {"payload": "x"})
    updates = await bot_call(emulator.base, api.session, "getUpdates")
    assert updates[0]["update_id"] == act["id"]
    waiting = asyncio.create_task(api("GET", "people/a/wait?contains=жауап&timeout=5"))
    chat = person["telegram_id"]
    await bot_call(emulator.base, api.session, "sendMessage", chat_id=chat, text="жауап")
    assert (await waiting)["text"] == "жауап"
    state = await api("GET", "state")
    assert [m["text"] for m in state["messages"]] == ["/start x", "жауап"]
    assert (await api("GET", "people/a/chat"))["state"]["started"] is True
    assert (await api("GET", "counters"))["received"] == {"a": 1}
    await api("POST", "reset")
    assert await api("GET", "people") == []


async def test_a_mistake_of_the_script_is_told(emulator: Emulator) -> None:
    for path, body in (("people/nobody/say", {"text": "a"}), ("switches", {"fly": 1})):
        async with emulator.session().post(f"{emulator.base}/emulator/{path}", json=body) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_other_sites_cannot_script_it(emulator: Emulator, headers: dict[str, str]) -> None:
    async with emulator.session().post(
        f"{emulator.base}/emulator/reset", headers=headers
    ) as answer:
        assert answer.status == 403
    with pytest.raises(ValueError, match="loopback only"):
        await Emulator().start(host="0.0.0.0")


async def test_the_clock_hook_is_called(emulator: Emulator, api: Api, product: Product) -> None:
    heard: list[Any] = []

    async def hook(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await api("POST", "config", {"clock_hook": url})
    assert await api("POST", "clock", {"days": 1}) == {"offset": 86400.0, "hook": 200}
    assert heard[0]["offset_seconds"] == 86400.0
    await runner.cleanup()


async def test_the_page_hears_the_news(emulator: Emulator, api: Api) -> None:
    emulator.add_person("a", "Айгүл", on_page=True)
    async with api.session.get(f"{emulator.base}/emulator/events") as events:
        await events.content.readuntil(b"\n\n")
        emulator.say("a", "сәлем")
        line = (await events.content.readuntil(b"\n\n")).decode()
    assert '"type": "message"' in line
    assert "сәлем" in line
    async with api.session.get(f"{emulator.base}/") as page:
        assert page.status == 200
        assert "Жиын" in await page.text()
    async with api.session.get(f"{emulator.base}/static/..%2fapp.py") as page:
        assert page.status == 404


async def test_everything_survives_a_stop(tmp_path: Path) -> None:
    async def run() -> Emulator:
        emulator = Emulator(data=tmp_path)
        emulator.add_bot("4242:test-token", "zhiyn_bot")
        await emulator.start()
        return emulator

    first = await run()
    first.add_person("a", "Айгүл")
    ids = [first.say("a", "бір")]
    first.send_file("a", "photo")
    first.advance(days=1)
    await first.stop()
    second = await run()
    assert [m.text for m in second.chat("a")] == ["бір", ""]
    assert second.clock.offset == 86400
    assert second.bot().updates.pending == 2
    media = second.chat("a")[1].media
    assert media
    assert second.files.get(media["file"])
    ids.append(second.say("a", "екі"))
    numbers = [m.message_id for m in second.chat("a")]
    assert ids[0] < ids[1]
    assert numbers == sorted(set(numbers))
    await second.stop()


async def _spawn(folder: Path) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", "--port", "0", "--data", str(folder),
        "--bot", "4242:test-token=zhiyn_bot", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    line = (await process.stdout.readline()).decode()
    return process, line.split()[1]


async def test_a_kill_loses_no_number(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        process, base = await _spawn(tmp_path)
        api = Api(base, session)
        await api("POST", "people", {"id": "a", "name": "Айгүл", "started": True})
        ids = [(await api("POST", "people/a/say", {"text": str(n)}))["id"] for n in range(60)]
        process.send_signal(signal.SIGKILL)  # within the second that may be lost
        await process.wait()
        process, base = await _spawn(tmp_path)
        api = Api(base, session)
        if not await api("GET", "people"):
            await api("POST", "people", {"id": "a", "name": "Айгүл", "started": True})
        later = (await api("POST", "people/a/say", {"text": "кейін"}))["id"]
        assert later > max(ids)
        process.terminate()
        assert await process.wait() == 0


async def test_a_kill_loses_nothing_older_than_a_second(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        process, base = await _spawn(tmp_path)
        api = Api(base, session)
        await api("POST", "people", {"id": "a", "name": "Айгүл"})
        for n in range(20):
            await api("POST", "people/a/say", {"text": str(n)})
        async with asyncio.timeout(2):
            while len(_written(tmp_path)) < 20:
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        process, base = await _spawn(tmp_path)
        chat = await Api(base, session)("GET", "people/a/chat")
        assert [message["text"] for message in chat["messages"]] == [str(n) for n in range(20)]
        process.terminate()
        assert await process.wait() == 0


def _written(folder: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "emulator.sqlite3")) as db:
        return db.execute("select key from object where kind = 'message'").fetchall()


def test_reserved_numbers_are_never_given_twice(tmp_path: Path) -> None:
    given: list[int] = []
    for _ in range(3):  # each store is dropped as if killed
        store = Store(tmp_path)
        given += [store.next_id("x") for _ in range(120)]
    assert len(set(given)) == len(given)
    assert given == sorted(given)
    assert os.path.exists(tmp_path / "emulator.sqlite3")
