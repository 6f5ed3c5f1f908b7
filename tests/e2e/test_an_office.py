"""An akim's office over the messengers themselves: invited, taken by a stranger, taken back."""

import re

import pytest
from support.people import settled
from support.world import World

from services.roles import RoleName

AKIMS = ("telegram", "whatsapp")


@pytest.mark.parametrize("channel", AKIMS)
async def test_a_clerk_comes_and_goes(world: World, channel: str) -> None:
    """The akim on one messenger, the clerk on the other; the stranger forwards nothing more."""
    emulator, other = world.emulator, AKIMS[channel == AKIMS[0]]
    await settled(world, "akim", channel, role=RoleName.AKIM, phone="+77015550001")
    emulator.add_person("clerk", "Динара", other, phone="+77015550002")
    emulator.say("akim", "роли")
    await emulator.wait_for("akim", "Аким: вы")
    emulator.tap("akim", "Пригласить")
    await emulator.wait_for("akim", "Что поручаете")
    emulator.tap("akim", "Срочные сообщения")
    await emulator.wait_for("akim", "Срочные сообщения, Исправление и остановка")
    emulator.tap("akim", "Готово")
    await emulator.wait_for("akim", "До какого дня")
    emulator.say("akim", "31.12.2035")
    await emulator.wait_for("akim", "Приглашение готово")
    to_pass_on = await emulator.wait_for("akim", "Вас приглашают")
    links = re.findall(r"https://\S+", to_pass_on.text)
    assert [link.split("/")[2] for link in links] == ["t.me", "wa.me"]
    code = re.search(r"i_[A-Z2-9]{12}", to_pass_on.text)
    assert code is not None
    if other == "telegram":
        emulator.start_bot("clerk", code[0])
    else:
        emulator.say("clerk", f"Жиын {code[0]}")
    await emulator.wait_for("clerk", "Тілді таңдаңыз")
    emulator.tap("clerk", "Қазақша")
    await emulator.wait_for("clerk", "Соңғы күні: 2035 жылғы 31 желтоқсан")
    await emulator.wait_for("clerk", "Шұғыл хабар жіберу")
    told = await emulator.wait_for("akim", "Ваше приглашение приняли")
    assert ("…0002" if other == "whatsapp" else "Telegram") in told.text
    emulator.tap("akim", "Посмотреть роль", message=told.seq)
    await emulator.wait_for("akim", "С какого дня")
    emulator.tap("akim", "Снять роль")
    await emulator.wait_for("akim", "Снять роль?")
    emulator.tap("akim", "Да, снять")
    await emulator.wait_for("akim", "Роль снята")
    await emulator.wait_for("clerk", "Рөліңіз қайтарып алынды")
    emulator.say("clerk", "мәзір")
    menu = await emulator.wait_for("clerk", "Керегін таңдаңыз", count=2)
    assert "Хабар жіберу" not in str(menu.buttons)
    assert not emulator.counters.violations
