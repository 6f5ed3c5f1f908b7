## Чем закончилась отправка, словами, понятными акиму

outcome-sent = Доставлено
outcome-announced = Извещение дошло, полный текст человек откроет сам
outcome-blocked = Отказались получать сообщения: { $people }
outcome-never-started = Ещё не начали чат с Жиыном: { $people }
outcome-deactivated = Аккаунт в мессенджере удалён: { $people }
outcome-bad-recipient = Номера нет в этом мессенджере: { $people }
outcome-unknown = Неизвестно, дошло ли: { $people }
outcome-refused = Мессенджер не принял сообщение: { $people }
outcome-unreachable = Не было связи с мессенджером: { $people }
outcome-expired = Так и не написали, срок ожидания вышел: { $people }
outcome-superseded = Заменено новым: { $people }
outcome-cancelled = Отозвано отправителем: { $people }
outcome-no-address = Нет чата, куда написать: { $people }
outcome-window-closed = Отправится, когда люди сами напишут: { $people }
outcome-template-unavailable = WhatsApp ещё не одобрил шаблон: { $people }
outcome-daily-limit = Помешал дневной предел WhatsApp: { $people }
outcome-quiet-hours = Ждут утра: { $people }
outcome-throttled = Мессенджер просит подождать: { $people }
outcome-transient = Связь прервалась, будет повтор: { $people }
outcome-paused = Приостановлено: { $people }
