// Every word that the page itself says, in Kazakh and in Russian.
const WORDS = {
  kk: {
    tagline: "Ауыл жиыны — телефоныңыздағы мессенджерде",
    nextHour: "+1 сағат", nextDay: "+1 күн", addPhone: "Телефон қосу", morePhones: "Қалған телефондар", step: "Қадам", allSteps: "Барлық қадам",
    hide: "Жасыру", back: "Артқа", forward: "Алға", guide: "Нұсқаулық", done: "орындалды",
    lost: "Байланыс үзілді. Қайта қосылып жатырмын…", empty: "Әзірге телефон жоқ. Біреуін қосыңыз.",
    name: "Аты-жөні", nameHint: "Мысалы: Сәуле Ахметова", messenger: "Мессенджері",
    cancel: "Болдырмау", add: "Қосу", hidden: "WhatsApp нөмірін жасырады",
    bot: "бот", typing: "жазып жатыр…", online: "бизнес-аккаунт",
    write: "Хабар", start: "БАСТАУ", unblock: "БҰҒАТТАН ШЫҒАРУ", send: "Жіберу",
    waBlocked: "Бұл аккаунтты бұғаттадыңыз. Бұғаттан шығару",
    block: "Бұғаттау", unblockMenu: "Бұғаттан шығару", openLink: "Сілтемені ашу…", pressStart: "Бастау",
    open: "Ашу", linkHint: "t.me/… немесе wa.me/… сілтемесін қойыңыз", menu: "Мәзір", attach: "Қосып жіберу",
    photo: "Сурет", sample: "Үлгі сурет", document: "Құжат", voice: "Дауыс", contact: "Біреудің нөмірі",
    location: "Орналасқан жерім", chooseContact: "Кімнің нөмірі?", edited: "өзгертілді",
    shareOwn: "Телефон нөміріңізді жібересіз бе?", shareText: "Бот нөміріңізді көреді:",
    share: "Жіберу", today: "Бүгін", yesterday: "Кеше", noPhoto: "Файл",
    encrypted: "🔒 Хабарлар мен қоңыраулар шифрланған.", choose: "Таңдау", keyboard: "Пернелер",
    what: "Бұл бот не істей алады?", close: "Жабу", mapText: "Орны", error: "Болмады",
  },
  ru: {
    tagline: "Сход села в мессенджере на вашем телефоне",
    nextHour: "+1 час", nextDay: "+1 день", addPhone: "Добавить телефон", morePhones: "Остальные телефоны", step: "Шаг", allSteps: "Все шаги",
    hide: "Скрыть", back: "Назад", forward: "Дальше", guide: "Подсказки", done: "сделано",
    lost: "Связь прервалась. Подключаюсь снова…", empty: "Телефонов пока нет. Добавьте один.",
    name: "Имя и фамилия", nameHint: "Например: Сауле Ахметова", messenger: "Мессенджер",
    cancel: "Отмена", add: "Добавить", hidden: "Скрывает номер WhatsApp",
    bot: "бот", typing: "печатает…", online: "бизнес-аккаунт",
    write: "Сообщение", start: "ЗАПУСТИТЬ", unblock: "РАЗБЛОКИРОВАТЬ", send: "Отправить",
    waBlocked: "Вы заблокировали этот контакт. Разблокировать",
    block: "Заблокировать", unblockMenu: "Разблокировать", openLink: "Открыть ссылку…", pressStart: "Запустить",
    open: "Открыть", linkHint: "Вставьте ссылку t.me/… или wa.me/…", menu: "Меню", attach: "Прикрепить",
    photo: "Фото", sample: "Пример фото", document: "Документ", voice: "Голос", contact: "Чужой контакт",
    location: "Моё место", chooseContact: "Чей номер?", edited: "изменено",
    shareOwn: "Отправить ваш номер телефона?", shareText: "Бот увидит ваш номер:",
    share: "Отправить", today: "Сегодня", yesterday: "Вчера", noPhoto: "Файл",
    encrypted: "🔒 Сообщения и звонки зашифрованы.", choose: "Выбрать", keyboard: "Клавиши",
    what: "Что умеет этот бот?", close: "Закрыть", mapText: "Место", error: "Не получилось",
  },
};
const MONTHS = {
  kk: ["қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан"],
  ru: ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"],
};
const DAYS = { kk: ["жс", "дс", "сс", "ср", "бс", "жм", "сб"], ru: ["вс", "пн", "вт", "ср", "чт", "пт", "сб"] };
const SHIFT = 5 * 3600; // Asia/Almaty has been UTC+5 all year round since 1 March 2024

export const word = (lang, key) => (WORDS[lang] || WORDS.kk)[key];
const local = (seconds) => new Date((seconds + SHIFT) * 1000);
const two = (number) => String(number).padStart(2, "0");
export const time = (seconds) => `${two(local(seconds).getUTCHours())}:${two(local(seconds).getUTCMinutes())}`;
export const dayNumber = (seconds) => Math.floor((seconds + SHIFT) / 86400);
export function date(seconds, lang, weekday = false) {
  const at = local(seconds), text = `${at.getUTCDate()} ${MONTHS[lang][at.getUTCMonth()]}`;
  return weekday ? `${text}, ${DAYS[lang][at.getUTCDay()]}` : text;
}
