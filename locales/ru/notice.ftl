## Сообщение

notice-heading = 📢 { $office }
notice-heading-kind = 📢 { $kind }. { $office }
notice-heading-corrected = 📢 Исправление. { $office }
notice-kind-announcement = Объявление
notice-kind-utilities = Коммунальные услуги и дороги
notice-kind-event = Мероприятие
notice-kind-urgent = Срочно
notice-read = Прочитал(а)
notice-read-receipt = Спасибо, отмечено.
notice-read-before = Вы уже отметили, что прочитали это сообщение.
notice-read-done = ✓ Прочитано
notice-not-yours = Это сообщение было не для вас. Чтобы увидеть свои, напишите «сообщения».
notice-corrected = Это сообщение исправлено. Вот новое.
notice-none = Сообщений пока нет. Новые придут сюда сами.
notice-list = Последние сообщения. Какое открыть?
notice-undo = Сообщение не отправлено, текст удалён.

template-notice = Новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-notice-button = Прочитать
template-urgent = Срочно, новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-urgent-button = Прочитать
template-correction = Исправление к новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-correction-button = Прочитать

role-where = От чьего имени отправить?
audience-ask =
    Отправитель: { $office }.
    Кому отправить сообщение?
audience-all = Всему округу
audience-some = Выбрать сёла
audience-pick =
    Каким сёлам? Когда выберете, нажмите «Готово».
    Выбрано: { $chosen }
audience-none = пока ни одного
audience-done = Готово
audience-nothing = Выберите хотя бы одно село.
audience-people = { $people ->
        [one] { $people } житель
        [few] { $people } жителя
       *[other] { $people } жителей
    }
audience-unclear = Не понимаю, что значит «{ $typed }». Выберите из списка или напишите номер: 1, 2, 3.
audience-empty = Здесь ещё никто не зарегистрирован, сообщение никому не придёт. Выберите другое село или отправьте позже, когда жители зарегистрируются.

notice-write-kk =
    Напишите сообщение по-казахски: в первой строке — заголовок, в следующей — текст. Например:
    Су құбыры жөнделеді
    Ертең сағат 9:00-ден 14:00-ге дейін су болмайды. Алдын ала құйып алыңыз.
notice-write-ru =
    Напишите сообщение по-русски: в первой строке — заголовок, в следующей — текст. Например:
    Ремонт водопровода
    Завтра с 9:00 до 14:00 не будет воды. Наберите заранее.
notice-only-kk = Только на казахском
notice-only-ru = Только на русском
notice-both = На двух языках
notice-needs-body =
    Заголовок и текст должны быть на разных строках. Например:
    Ремонт водопровода
    Завтра с 9:00 до 14:00 не будет воды.
notice-title-long = Заголовок слишком длинный: { $length ->
        [one] { $length } знак
        [few] { $length } знака
       *[other] { $length } знаков
    }. В первой строке нужно не больше 100, остальное напишите со следующей строки.
notice-body-long = Текст слишком длинный: { $length ->
        [one] { $length } знак
        [few] { $length } знака
       *[other] { $length } знаков
    }. Нужно не больше 3000: сократите и напишите снова вместе с заголовком.
notice-words-only = Пока могу отправить только текст. Напишите сообщение словами.

notice-preview =
    Жители увидят вот что:

    { $sample }

    Получатели: { $people } (Telegram — { $telegram }, WhatsApp — { $whatsapp }). { $unreachable }
    Отправить?
notice-preview-unreachable = { $people ->
        [one] У { $people } человека нет чата.
       *[other] У { $people } человек нет чата.
    }
notice-preview-all = Чат есть у всех.
notice-sample =
    📢 { $office }
    { $title }
    { $body }
notice-send = Отправить
notice-fix-kk = Исправить казахский
notice-fix-ru = Исправить русский
notice-fix-audience = Изменить получателей
notice-preview-unclear = Не понимаю, что значит «{ $typed }», сообщение ещё не отправлено. Отправить или исправить? Выберите из списка или напишите номер: 1, 2, 3.
