## Сообщение

notice-heading = 📢 { $office }
notice-heading-kind = 📢 { $kind }. { $office }
notice-heading-corrected = 📢 Исправление. { $office }
notice-kind-announcement = Объявление
notice-kind-utilities = Вода, свет и дороги
notice-kind-event = Мероприятие
notice-kind-urgent = Срочно
notice-read = Прочитал(а)
notice-read-receipt = Спасибо, отмечено.
notice-read-receipt-family = Спасибо, отмечено за всех на этом телефоне: { $people ->
        [one] { $people } человек
        [few] { $people } человека
       *[other] { $people } человек
    }.
notice-read-before-family = Уже отмечено за всех на этом телефоне: { $people ->
        [one] { $people } человек
        [few] { $people } человека
       *[other] { $people } человек
    }.
notice-read-before = Вы уже отметили, что прочитали это сообщение.
notice-read-done = ✓ Прочитано
notice-not-yours = Это сообщение было не для вас. Чтобы увидеть свои, напишите «сообщения».
notice-corrected = Это сообщение исправлено. Вот новое.
notice-corrected-here = Это сообщение исправлено. Новый текст у вас уже есть.
notice-corrected-comes = Это сообщение исправлено. Новый текст сейчас придёт.
notice-show-new = Показать новый текст
notice-none = Сообщений пока нет. Новые придут сюда сами.
notice-list = Последние сообщения. Какое открыть?

template-notice = Новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-notice-button = Прочитать
template-urgent = Срочно, новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-urgent-button = Прочитать
template-correction = Исправление к новости села. { $first }: { $second }. Чтобы прочитать, нажмите «Прочитать».
template-correction-button = Прочитать
