"""`make demo` as a new user meets it, in Chromium: register, send a notice, see it arrive."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from support.world import free_port

from core.languages import Language
from core.texts import T, texts

if TYPE_CHECKING:
    from playwright.async_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
KK, RU = Language.KK, Language.RU

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(180),
]


def kk(key: str) -> str:
    return texts().say(KK, T(key))


def ru(key: str) -> str:
    return texts().say(RU, T(key))


class Demo:
    """`zhiyn demo` in a process of its own."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.url = ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Starts it; what it printed until its page was there."""
        port = free_port()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "demo", "--data", str(self.folder),
            "--port", str(port), "--no-browser", cwd=self.root,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}"
        said, stdout = "", self.process.stdout
        assert stdout is not None
        async with asyncio.timeout(90):
            while "Ctrl-C stops everything" not in said:
                line = await stdout.readline()
                assert line, f"the demo ended: {said}"
                said += line.decode()
        return said

    async def stop(self) -> int:
        """Ctrl-C; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            return await self.process.wait()


@pytest_asyncio.fixture
async def demo(root: Path) -> AsyncIterator[Demo]:
    folder = Path(tempfile.mkdtemp(prefix="zhiyn-demo-"))
    running = Demo(folder, root)
    yield running
    if running.process is not None and running.process.returncode is None:
        await running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture
async def page() -> "AsyncIterator[Page]":
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = await browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
        await browser.close()
    assert errors == []


class Phone:
    """One phone of the page, used by mouse and keyboard."""

    def __init__(self, page: "Page", person: str) -> None:
        self.page, self.person = page, person
        self.here = page.get_by_test_id(f"phone-{person}")

    async def sees(self, words: str) -> None:
        await self.here.get_by_text(words).last.wait_for(timeout=20_000)

    async def says(self, words: str, then: str) -> None:
        await self.page.get_by_test_id(f"composer-{self.person}").fill(words)
        await self.page.get_by_test_id(f"send-{self.person}").click()
        await self.sees(then)

    async def taps(self, label: str, then: str) -> None:
        buttons = self.here.get_by_test_id("button")
        await (
            buttons.get_by_text(label, exact=True)
            .or_(buttons.and_(self.here.get_by_role("button", name=label, exact=True)))
            .last.click()
        )
        await self.sees(then)


async def test_the_first_minute(demo: Demo, page: "Page") -> None:
    await demo.start()
    await page.goto(demo.url)
    await page.wait_for_selector("body[data-ready]")

    aigul = Phone(page, "aigul")
    await page.get_by_test_id("start-aigul").click()
    await aigul.sees("Тілді таңдаңыз")
    await aigul.taps("Қазақша", "Келісесіз бе?")
    await aigul.taps(kk("consent-yes"), "Ахметов Серік")
    await aigul.says("Серікова Айгүл", "Қай ауылда")
    await aigul.says("бугровойе", kk("village-yes"))
    await aigul.taps(kk("village-yes"), "Абай көшесі, 12")
    await aigul.taps(kk("street-skip"), "05.03.1986")
    await aigul.says("12.04.1990", kk("contact-share"))
    await aigul.here.get_by_role("button", name=kk("contact-share")).last.click()
    await aigul.here.get_by_role("button", name="Жіберу", exact=True).last.click()
    await aigul.sees(kk("summary-yes"))
    await aigul.taps(kk("summary-yes"), "Тіркелдіңіз!")

    akim = Phone(page, "akim")
    await akim.taps(kk("menu-send"), kk("kind-announcement"))
    await akim.taps(kk("kind-announcement"), kk("audience-all-okrug"))
    await akim.here.get_by_role("button", name=kk("audience-all-okrug"), exact=True).last.click()
    await akim.sees("Су құбыры жөнделеді")
    await akim.says("Мектепте жиналыс\nЕртең сағат 18:00-де келіңіз.", kk("notice-only-kk"))
    await akim.says("Встреча в школе\nЗавтра в 18:00, приходите.", kk("attach-skip"))
    await akim.taps(kk("attach-skip"), kk("notice-send"))
    await akim.taps(kk("notice-send"), "/ 943")

    petr = Phone(page, "petr")
    await aigul.sees("Мектепте жиналыс")
    await petr.sees("Встреча в школе")
    await aigul.taps(kk("notice-read"), kk("notice-read-done"))
    await petr.taps(ru("notice-read"), ru("notice-read-receipt"))

    assert await demo.stop() == 0
    said = await demo.start()
    assert "as you left it" in said
    await page.goto(demo.url)
    await petr.sees("Встреча в школе")
    assert await demo.stop() == 0


@pytest.mark.parametrize("language", [KK, RU])
def test_the_page_numbers_the_steps_itself(language: Language) -> None:
    """Before, the number stood twice: in the badge and in the text."""
    for name in ("register", "send", "read", "join", "correct", "more"):
        assert not texts().say(language, T(f"demo-guide-{name}"))[0].isdecimal()
    join = texts().say(language, T("demo-guide-join"))
    for key in ("consent-yes", "join-yes"):
        assert texts().say(language, T(key, name="…")) in join, "each screen on the way is named"
