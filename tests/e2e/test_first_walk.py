"""A villager on each messenger registers, the akim sends a notice, both read it."""

from support.world import OKRUG, World

from services import roles
from services.roles import RoleName


async def register_on_telegram(world: World, person: str) -> None:
    emulator = world.emulator
    emulator.press_start(person)
    await emulator.wait_for(person, "Тілді таңдаңыз")
    emulator.tap(person, "Русский")
    await emulator.wait_for(person, "Согласны?")
    emulator.tap(person, "Согласен(на)")
    await emulator.wait_for(person, "фамилию, имя")
    emulator.say(person, "Иванов Пётр О'Нил")
    await emulator.wait_for(person, "В каком селе")
    emulator.say(person, "бугравое")
    await emulator.wait_for(person, "Верно?")
    emulator.tap(person, "Да, это оно")
    await emulator.wait_for(person, "улицу и дом")
    emulator.tap(person, "Пропустить")
    await emulator.wait_for(person, "дату рождения")
    emulator.say(person, "31.02.2010")
    await emulator.wait_for(person, "Дня 31.02.2010 не бывает")
    emulator.say(person, "05.03.1986")
    await emulator.wait_for(person, "номер телефона")
    emulator.share_contact(person)
    await emulator.wait_for(person, "Всё верно?")
    emulator.tap(person, "Да, верно")
    await emulator.wait_for(person, "Вы зарегистрированы!")


async def test_both_messengers(world: World) -> None:
    emulator = world.emulator
    emulator.add_person("petr", "Пётр", "telegram", phone="+77011234567")
    emulator.add_person("aigul", "Айгүл", "whatsapp", phone="+77017654321")
    await register_on_telegram(world, "petr")

    emulator.say("aigul", "Сәлем")
    await emulator.wait_for("aigul", "Тілді таңдаңыз")
    emulator.tap("aigul", "Қазақша")
    await emulator.wait_for("aigul", "Келісесіз бе?")
    emulator.say("aigul", "1")
    await emulator.wait_for("aigul", "Аты-жөніңізді")
    emulator.say("aigul", "Серікова Айгүл")
    await emulator.wait_for("aigul", "Қай ауылда")
    emulator.say("aigul", "новогеоргиевка")
    await emulator.wait_for("aigul", "Дұрыс па?")
    emulator.say("aigul", "иә")
    await emulator.wait_for("aigul", "Көшеңіз")
    emulator.say("aigul", "Абай көшесі, 12")
    await emulator.wait_for("aigul", "Туған күніңізді")
    emulator.say("aigul", "1.1.90")
    await emulator.wait_for("aigul", "Бәрі дұрыс па?")
    emulator.say("aigul", "1")
    await emulator.wait_for("aigul", "Тіркелдіңіз!")

    async with world.db.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    emulator.add_person("akim", "Әкім", "telegram")
    emulator.start_bot("akim", f"i_{code}")
    await emulator.wait_for("akim", "Тілді таңдаңыз")
    emulator.tap("akim", "Қазақша")
    await emulator.wait_for("akim", "Сізге рөл берілді")
    emulator.tap("akim", "Хабар жіберу")
    await emulator.wait_for("akim", button="Хабарландыру")
    emulator.tap("akim", "Хабарландыру")
    await emulator.wait_for("akim", "Хабар кімге барсын?")
    emulator.tap("akim", "Бүкіл округке")
    await emulator.wait_for("akim", "Хабарды қазақша жазыңыз")
    emulator.say("akim", "Су құбыры жөнделеді\nЕртең су болмайды.")
    await emulator.wait_for("akim", "Хабарды орысша жазыңыз")
    emulator.say("akim", "Ремонт водопровода\nЗавтра не будет воды.")
    await emulator.wait_for("akim", button="Файлсыз")
    emulator.tap("akim", "Файлсыз")
    await emulator.wait_for("akim", "Жіберейін бе?")
    emulator.tap("akim", "Жіберу")
    await emulator.wait_for("akim", "Хабар жіберіл")
    await emulator.wait_for("petr", "Ремонт водопровода")
    await emulator.wait_for("aigul", "Су құбыры жөнделеді")
    emulator.tap("petr", "Прочитал(а)")
    emulator.tap("aigul", "Оқыдым")
    await emulator.wait_for("aigul", "Рақмет, белгіленді.")
    await emulator.wait_for("akim", "Оқыдым дегені: 2 (100%)")
    assert not emulator.counters.violations
