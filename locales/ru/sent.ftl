## Отправленные сообщения: как идёт рассылка, что с ней можно сделать

menu-sent = Отправленные
sent-none = Сообщений ещё не было. Первое можно отправить отсюда: «Отправить сообщение».
sent-list = Отправленные сообщения, новые сверху. Какое показать?
sent-status-scheduled = запланировано на { $at }
sent-status-sending = отправляется с { $at }
sent-status-paused = приостановлено, { $at }
sent-status-finished = отправлено { $at }
sent-status-cancelled = отменено, { $at }

live-scheduled = Будет отправлено: { $at }.
live-files = Файлы ещё загружаются. Как только будут готовы, сообщение уйдёт само.
live-begins = Сообщение принято. Получателей много, отправка начнётся через несколько секунд.
live-held = Приостановлено: сообщение ещё никому не отправлено.
live-sending = Отправляю: { $done } из { $total }
live-finished = Отправлено: { $done } из { $total }
live-paused = Приостановлено: отправлено { $done } из { $total }
live-cancelled = Отменено: успели получить { $done } из { $total }
live-cancelled-before = Отменено, никто его не получил.
live-corrected = Исправлено, идёт новая версия ({ $revision }).
live-corrected-paused = Исправлено: когда продолжите отправку, пойдёт новая версия ({ $revision }).
live-corrected-over = Исправлено. Последняя версия: { $revision }.
live-delivered = WhatsApp: доставлено { $delivered }, открыли { $read }
live-announced = В WhatsApp ещё не нажали «Прочитать»: { $people }
live-read = Отметили прочтение: { $people } ({ $percent }%)
live-shared = Из них одной отметкой на общем телефоне семьи: { $people }
live-waiting = Отправится, когда люди сами напишут: { $people }
live-tomorrow = Ждут из-за дневного предела WhatsApp: { $people }. Последние получат: { $at }
live-quiet = Ждут утра, ночью не отправляю: { $people }. Продолжу: { $at }
live-failed = Не дошло: { $people }. { $why }
live-in-part = Текст дошёл без файла: { $people }. { $why }
live-muted = Отключили такие сообщения: { $people }
live-left = { $seconds ->
        [one] Осталось около { $seconds } секунды
       *[other] Осталось около { $seconds } секунд
    }
live-left-minutes = { $minutes ->
        [one] Осталось около { $minutes } минуты
       *[other] Осталось около { $minutes } минут
    }
live-show = Как идёт сейчас?

sent-pause = Приостановить
sent-paused = Приостановлено. Кто ещё не получил, получит, когда вы нажмёте «Продолжить отправку».
sent-resume = Продолжить отправку
sent-resumed = Отправка продолжается.
sent-when = Другое время
moment-done = Время изменено. Сообщение уйдёт: { $at }.
moment-now = Сообщение уходит сейчас.
moment-undo = Время отправки осталось прежним.
parked-moment = Новое время отправки не выбрано, пока действует прежнее.
sent-correct = Исправить
sent-cancel = Отменить отправку
sent-cancel-ask =
    Уже получили: { $had }. У них сообщение останется.
    Ещё не получили: { $left }. Им оно не придёт.

    Отменить отправку?
sent-cancel-ask-scheduled =
    Сообщение ещё никому не отправлено. Если отменить, оно никому не придёт.

    Отменить?
sent-cancel-yes = Да, отменить
sent-cancel-no = Нет, оставить
sent-cancelled = Отправка отменена.
sent-too-late = Уже не получится: за это время всё изменилось. Вот что сейчас.
sent-report = Отчёт по жителям
sent-report-coming = Готовлю отчёт, пришлю сюда файлом.
sent-file-failed =
    Сообщение «{ $title }» не ушло: один из файлов не удалось загрузить.
    Можно продолжить без него или отменить и отправить заново.
sent-role-ended = Сообщение «{ $title }» не ушло: у вас больше нет права отправлять такие сообщения. Обратитесь в аппарат акима.
sent-role-ended-office = Сообщение «{ $title }» не ушло: у сотрудника, который его подготовил, больше нет права отправлять такие сообщения. Если оно всё же нужно, отправьте его заново от себя.
notice-cancelled-line = Отправитель отозвал это сообщение.

report-file = отчёт { $at }
report-here = Отчёт о сообщении «{ $title }». В нём имена жителей: не пересылайте его посторонним.
report-name = ФИО
report-village = Село
report-messenger = Мессенджер
report-outcome = Итог
report-sent = Отправлено
report-delivered = Доставлено
report-read = Открыто
report-receipt = Отметка «Прочитал(а)»
report-shared = Одна отметка на общем телефоне
report-shared-yes = да
report-deleted = данные удалены
messenger-telegram = Telegram
messenger-whatsapp = WhatsApp

state-sent = отправлено
state-sent-in-part = отправлено без файла
state-announced = пришло извещение, полный текст не открыт
state-pending = ещё отправляется
state-paused = приостановлено
state-muted = отключил(а) такие сообщения
state-merged = получил(а) в другом чате
state-no-address = нет чата
state-deleted = данные удалены
state-blocked = не хочет получать сообщения
state-never-started = ещё не начал(а) чат
state-deactivated = аккаунт удалён
state-bad-recipient = номера нет в мессенджере
state-window-closed = ждёт, пока человек напишет
state-template-unavailable = WhatsApp ещё не одобрил шаблон
state-daily-limit = ждёт своего дня (предел WhatsApp)
state-quiet-hours = ждёт утра: ночью не отправляется
state-throttled = мессенджер просит подождать
state-transient = связь прервалась, будет повтор
state-unknown = неизвестно, дошло ли
state-refused = мессенджер не принял
state-unreachable = не было связи
state-expired = не отправлено: человек так и не написал, срок вышел
state-superseded = заменено новым
state-cancelled = отменено

correct-write-kk =
    По-казахски сейчас так:

    { $title }
    { $body }

    Напишите новый текст: в первой строке — заголовок, в следующей — текст.
correct-write-ru =
    По-русски сейчас так:

    { $title }
    { $body }

    Напишите новый текст: в первой строке — заголовок, в следующей — текст.
correct-keep = Оставить как есть
correct-sample =
    📢 Исправление. { $office }
    { $title }
    { $body }
correct-preview =
    Теперь будет так:

    { $sample }

    { $who }
    { $ask }
correct-only-kk = Меняется только казахский текст: исправление получат те, кто читает по-казахски. Остальным ничего нового не придёт.
correct-only-ru = Меняется только русский текст: исправление получат те, кто читает по-русски. Остальным ничего нового не придёт.
correct-who =
    Уже получили прежнее: { $had }. Им придёт исправление.
    Ещё не получили: { $left }. Им придёт сразу новый текст.
correct-nobody = Сейчас этот текст никто не получает. Его увидит тот, кто откроет сообщение позже.
correct-who-before = Сообщение ещё никому не отправлено: все получат сразу новый текст.
correct-ask = Отправить исправление?
correct-ask-paused =
    Отправка приостановлена: исправление уйдёт, когда нажмёте «Продолжить отправку».
    Сохранить его?
correct-ask-before = Сохранить исправление?
correct-send = Отправить
correct-save = Сохранить
correct-no-files = Файл к исправлению не добавить: исправляется только текст.
correct-waits =
    У вас не закончено исправление другого сообщения: «{ $waits }».
    Если исправлять «{ $title }», написанное для того пропадёт.
    Что будете исправлять?
correct-go-on = Закончить начатое
correct-begin = Исправлять это
correct-meanwhile = Пока вы писали, сообщение уже исправил кто-то другой. Вот что получится с вашим исправлением.
correct-nothing = Пока ничего не изменилось. Какой текст исправить?
correct-done = Исправление отправляется.
correct-done-nobody = Исправление сохранено.
correct-done-paused = Исправление сохранено. Оно уйдёт, когда нажмёте «Продолжить отправку».
correct-done-before = Исправление сохранено. Все получат сразу новый текст.
correct-done-quiet = Исправление сохранено. Ночью не отправляю, уйдёт: { $at }.
correct-barred = Исправление уже не отправить: права на это у вас больше нет. Текст можно скопировать или удалить.
correct-undo = Исправление отменено, сообщение осталось прежним.
parked-correction = Исправление сообщения не закончено, прежний текст в силе.
