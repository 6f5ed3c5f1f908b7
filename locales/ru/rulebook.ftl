## Правила места, простыми словами

menu-rules = Правила
rules-at = Что действует здесь: { $place }.
rules-all = Что действует у всех, пока место не решило иначе.
rules-everywhere = везде
rules-act = — так решено: { $act } ({ $place }).
rules-default = Местных решений об этом пока нет, действуют обычные правила.

rule-youngest-age = • Зарегистрироваться можно с { $value ->
        [one] { $value } года
       *[other] { $value } лет
    }.
rule-adult-age = • Голосовать и подписывать можно с { $value ->
        [one] { $value } года
       *[other] { $value } лет
    }.
rule-people-on-a-phone = • С одного телефона могут писать несколько человек из семьи, не больше { $value }.
rule-move-cooling-off = • После переезда голос на новом месте считается через { $value ->
        [one] { $value } день
        [few] { $value } дня
       *[other] { $value } дней
    }.
rule-move-at-once = • После переезда голос на новом месте считается сразу.
rule-correction-window = • Село или дату рождения можно поправить без последствий для голоса, если после регистрации прошло меньше { $value ->
        [one] { $value } часа
       *[other] { $value } часов
    }.
rule-merge-undo = • Если два чата объединили по ошибке, разъединить их можно в течение { $value ->
        [one] { $value } дня
       *[other] { $value } дней
    }.
rule-quiet = • С { $begins } до { $ends } сообщения не приходят, кроме таких: { $kinds }.
rule-quiet-all = • С { $begins } до { $ends } сообщения не приходят.
rule-no-quiet = • Сообщения могут прийти в любое время суток.
rule-other-messenger-after = • Непрочитанное сообщение приходит и во второй мессенджер через { $value ->
        [one] { $value } час
        [few] { $value } часа
       *[other] { $value } часов
    }.
rule-invitation-term = • Приглашение на роль действует { $value ->
        [one] { $value } день
        [few] { $value } дня
       *[other] { $value } дней
    }.
rule-same-notice-within = • Если то же сообщение отправляют снова в течение { $value ->
        [one] { $value } часа
       *[other] { $value } часов
    }, сначала переспросим.
rule-notice-waits = • Если в WhatsApp сообщение уйдёт только после того, как человек сам напишет, оно ждёт { $value ->
        [one] { $value } день
        [few] { $value } дня
       *[other] { $value } дней
    }, потом уже не отправляется.
