"""The page in a real browser: what is sent is seen, what is tapped reaches the product."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from emulator.app import PIXEL, Emulator

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.emulator.conftest import Product

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
LIST = {"twilio/list-picker": {"body": "Не керек?", "button": "Таңдау", "items": [
    {"item": "Жиындар", "id": "v1:m", "description": "Ертең"}]}}  # fmt: skip


@pytest.fixture
async def page(emulator: Emulator) -> AsyncIterator[Page]:
    from playwright.async_api import async_playwright

    emulator.add_person("aigul", "Айгүл", on_page=True)
    emulator.add_person("ivan", "Иван", "whatsapp", language="ru", on_page=True, window_open=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(emulator.base)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert errors == []


async def bot_call(emulator: Emulator, method: str, **body: Any) -> Any:
    url = f"{emulator.base}/bot4242:test-token/{method}"
    async with emulator.session().post(url, json=body) as answer:
        return await answer.json()


async def test_both_messengers_in_the_browser(
    emulator: Emulator, page: Page, product: Product
) -> None:
    await page.get_by_test_id("start-aigul").click()
    await emulator.wait_until(lambda: len(emulator.chat("aigul")) == 1)
    keys = {"inline_keyboard": [[{"text": "Иә", "callback_data": "v1:yes"}]]}
    chat = emulator.person("aigul").telegram_id
    text = "<b>Келесіз бе?</b> <script>alert(1)</script>"
    await bot_call(emulator, "sendMessage", chat_id=chat, text=text, reply_markup=keys)
    phone = page.get_by_test_id("phone-aigul")
    assert text in await phone.get_by_test_id("message").nth(1).inner_text()
    await phone.get_by_test_id("button").click()
    await emulator.wait_until(lambda: len(emulator.bot().callbacks) == 1)
    query = next(iter(emulator.bot().callbacks))
    await bot_call(emulator, "answerCallbackQuery", callback_query_id=query, text="Қабылданды")
    await page.get_by_test_id("toast-aigul").get_by_text("Қабылданды").wait_for()

    content = emulator.contents.create("AC", {"language": "kk", "types": LIST})
    form = {"From": "whatsapp:+77001112233", "To": emulator.person("ivan").address}
    emulator.out.create(form | {"ContentSid": content.sid})
    await page.get_by_test_id("list-open").click()
    await page.get_by_test_id("list-row").check()
    await page.get_by_test_id("list-send").click()
    await emulator.wait_until(lambda: len(product.inbound) == 1)
    assert product.inbound[0]["ListId"] == "v1:m"
    await page.get_by_test_id("composer-ivan").fill("*рахмет*")
    await page.keyboard.press("Enter")
    await page.get_by_test_id("phone-ivan").locator("strong", has_text="рахмет").wait_for()


async def test_the_bar_adds_phones_days_and_steps(emulator: Emulator, page: Page) -> None:
    rule = {"person": "aigul", "contains": "/start"}
    emulator.set_guide([{"kk": "Бір", "ru": "Раз", "done_when": rule}, {"kk": "Екі", "ru": "Два"}])
    await page.get_by_test_id("guide-step").get_by_text("Бір").wait_for()
    emulator.say("aigul", "/start")
    await page.get_by_test_id("guide-step").get_by_text("Екі").wait_for()
    await page.get_by_test_id("lang-ru").click()
    await page.get_by_test_id("guide-step").get_by_text("Два").wait_for()
    await page.get_by_test_id("next-day").click()
    await emulator.wait_until(lambda: emulator.clock.offset == 86_400)
    await page.get_by_test_id("add-phone").click()
    await page.get_by_test_id("add-name").fill("Сауле")
    await page.get_by_test_id("add-whatsapp").check()
    await page.get_by_test_id("add-save").click()
    await emulator.wait_until(lambda: len(emulator.world.people) == 3)
    added = list(emulator.world.people.values())[2]
    assert (added.name, added.channel, json.dumps(added.on_page)) == ("Сауле", "whatsapp", "true")
    await page.get_by_test_id(f"menu-{added.id}").click()
    await page.get_by_test_id("menu-link").click()
    await page.get_by_test_id("link-input").fill("wa.me/77001112233?text=%D0%96%D0%B8%D1%8B%D0%BD")
    await page.keyboard.press("Enter")
    await page.wait_for_function(
        f"document.querySelector('[data-testid=\"composer-{added.id}\"]').value === 'Жиын'"
    )


async def test_files_of_one_go_with_a_caption(
    emulator: Emulator, page: Page, product: Product
) -> None:
    """Several pictures are an album on Telegram and messages of their own on WhatsApp."""
    await page.get_by_test_id("start-aigul").click()
    await emulator.wait_until(lambda: len(emulator.chat("aigul")) == 1)
    pictures = [
        {"name": f"{n}.png", "mimeType": "image/png", "buffer": PIXEL} for n in ("road", "bridge")
    ]
    paper = {"name": "смета.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    for person, kind, chosen in (("aigul", "photo", pictures), ("ivan", "document", [paper])):
        await page.get_by_test_id(f"composer-{person}").fill("Жолды қараңыз")
        await page.get_by_test_id(f"attach-{person}").click()
        async with page.expect_file_chooser() as chooser:
            await page.get_by_test_id(f"phone-{person}").get_by_test_id(f"attach-{kind}").click()
        await (await chooser.value).set_files(chosen)
        await emulator.wait_until(
            lambda person=person, chosen=chosen: (
                sum(message.media is not None for message in emulator.chat(person)) == len(chosen)
            )
        )
    *_, first, second = emulator.chat("aigul")
    assert first.album == second.album != ""
    assert [first.text, second.text] == ["Жолды қараңыз", ""]
    await emulator.wait_until(lambda: len(product.inbound) == 1)
    assert product.inbound[0]["MediaContentType0"] == "application/pdf"
    assert product.inbound[0]["Body"] == "Жолды қараңыз"


async def whole(page: Page, *people: str) -> None:
    """Waits until all of these phones are inside the window."""
    await page.wait_for_function(
        """people => people.every((one) => {
             const phone = document.querySelector(`[data-testid="phone-${one}"]`);
             const box = phone.getBoundingClientRect();
             return box.left >= -1 && box.right <= innerWidth + 1; })""",
        arg=list(people),
    )


async def test_five_phones_stand_in_the_window(emulator: Emulator, page: Page) -> None:
    """Before, at 1440 the fifth one lay outside, with nothing that said so."""
    for n in (3, 4, 5):
        emulator.add_person(f"p{n}", f"Адам {n}", "whatsapp", on_page=True)
    await page.get_by_test_id("phone-p5").wait_for()
    for width in (1440, 1920):
        await page.set_viewport_size({"width": width, "height": 900})
        await whole(page, "aigul", "ivan", "p3", "p4", "p5")
        await page.get_by_test_id("more-right").wait_for(state="hidden")
    await page.set_viewport_size({"width": 1100, "height": 800})
    more = page.get_by_test_id("more-right")
    await more.get_by_text("1", exact=True).or_(more.get_by_text("2", exact=True)).wait_for()
    await more.click()
    await more.wait_for(state="hidden")
    await whole(page, "p5")
    await page.get_by_test_id("more-left").click()
    await page.get_by_test_id("more-left").wait_for(state="hidden")
    await whole(page, "aigul")


async def test_the_guide_goes_to_the_first_step_that_is_not_done(
    emulator: Emulator, page: Page
) -> None:
    """Before, the correction led from step 2 to step 6; and what was done was undone when the
    message that showed it was edited. The phone of the step comes into the window."""
    for n in (3, 4, 5):
        emulator.add_person(f"p{n}", f"Адам {n}", "telegram", on_page=True)
    await page.get_by_test_id("phone-p5").wait_for()
    await page.set_viewport_size({"width": 1000, "height": 800})
    emulator.set_guide([
        {"kk": "Бір", "ru": "Раз", "done_when": {"person": "aigul", "contains": "жіберіліп"}},
        {"kk": "Екі", "ru": "Два", "done_when": {"person": "p5", "contains": "/start"}},
        {"kk": "Үш", "ru": "Три", "done_when": {"person": "aigul", "contains": "түзетілді"}},
        {"kk": "Төрт", "ru": "Четыре"},
    ])  # fmt: skip
    step = page.get_by_test_id("guide-step")
    await step.get_by_text("Бір").wait_for()
    await page.get_by_test_id("start-aigul").click()
    await emulator.wait_until(lambda: len(emulator.chat("aigul")) == 1)
    chat = emulator.person("aigul").telegram_id
    sent = await bot_call(emulator, "sendMessage", chat_id=chat, text="Хабар жіберіліп жатыр")
    await step.get_by_text("Екі").wait_for()
    await whole(page, "p5")
    number = sent["result"]["message_id"]
    await bot_call(
        emulator, "editMessageText", chat_id=chat, message_id=number, text="Тоқтады, түзетілді"
    )
    await page.get_by_test_id("phone-aigul").get_by_text("түзетілді").wait_for()
    await step.get_by_text("Екі").wait_for()
    emulator.say("p5", "/start")
    await step.get_by_text("Төрт").wait_for()
