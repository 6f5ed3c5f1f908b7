## Жіберілген хабарлар: қалай жетіп жатыр, не істеуге болады

menu-sent = Жіберілгендер
sent-none = Әзірге хабар жіберілген жоқ. Алғашқысын «Хабар жіберу» арқылы жібере аласыз.
sent-list = Жіберілген хабарлар, жаңасы жоғарыда. Қайсысын көрсетейін?
sent-status-scheduled = жіберілетін уақыты: { $at }
sent-status-sending = жіберіліп жатыр, басталған уақыты: { $at }
sent-status-paused = уақытша тоқтатылған, { $at }
sent-status-finished = жіберілген уақыты: { $at }
sent-status-cancelled = бас тартылды, { $at }

live-scheduled = Хабар жіберіледі: { $at }.
live-files = Файлдар әлі жүктеліп жатыр. Дайын болған бойда хабар өзі кетеді.
live-begins = Хабар қабылданды. Алушылар көп, жіберу бірнеше секундтан кейін басталады.
live-held = Уақытша тоқтатылды: хабар әлі ешкімге жіберілген жоқ.
live-sending = Хабар жіберіліп жатыр: { $done } / { $total }
live-finished = Хабар жіберілді: { $done } / { $total }
live-paused = Уақытша тоқтатылды, жіберілгені: { $done } / { $total }
live-cancelled = Жіберуден бас тартылды, алып үлгергені: { $done } / { $total }
live-cancelled-before = Хабардан бас тартылды, оны ешкім алған жоқ.
live-corrected = Түзетілді, жаңа нұсқасы жіберіледі ({ $revision }).
live-corrected-paused = Түзетілді: жалғастырғанда жаңа нұсқасы барады ({ $revision }).
live-corrected-over = Түзетілген. Соңғы нұсқасы: { $revision }.
live-delivered = WhatsApp: жеткені { $delivered }, ашқаны { $read }
live-announced = WhatsApp-та «Оқу» дегенді әлі баспағаны: { $people }
live-read = Оқыдым дегені: { $people } ({ $percent }%)
live-shared = Оның ішінде отбасының ортақ телефонында бір рет басқаны: { $people }
live-waiting = Өздері жазған соң жіберіледі: { $people }
live-tomorrow = WhatsApp-тың күндік шегіне байланысты кезек күтіп тұрғаны: { $people }. Соңғыларына жететін күні: { $at }
live-quiet = Түнде жіберілмейді, таңды күтіп тұрғаны: { $people }. Жалғасады: { $at }
live-failed = Жетпегені: { $people }. { $why }
live-in-part = Мәтіні файлсыз жеткені: { $people }. { $why }
live-muted = Мұндай хабарды өшіріп қойғаны: { $people }
live-left = Шамамен { $seconds } секунд қалды
live-left-minutes = Шамамен { $minutes } минут қалды
live-show = Қазір қалай?

sent-pause = Тоқтата тұру
sent-paused = Уақытша тоқтатылды. Әлі алмағандарға «Жіберуді жалғастыру» дегенді басқанда барады.
sent-resume = Жіберуді жалғастыру
sent-resumed = Жіберу жалғасып жатыр.
sent-when = Басқа уақыт
moment-done = Уақыты өзгерді. Хабар жіберіледі: { $at }.
moment-now = Хабар қазір жіберіледі.
moment-undo = Хабардың жіберілетін уақыты бұрынғыша қалды.
parked-moment = Хабардың жаңа уақыты таңдалмады, әзірге бұрынғысы күшінде.
sent-correct = Түзету
sent-cancel = Жіберуден бас тарту
sent-cancel-ask =
    Алып үлгергені: { $had }. Хабар оларда қалады.
    Әлі алмағаны: { $left }. Оларға бармайды.

    Жіберуден бас тартасыз ба?
sent-cancel-ask-scheduled =
    Хабар әлі ешкімге жіберілген жоқ. Бас тартсаңыз, ешкімге бармайды.

    Бас тартасыз ба?
sent-cancel-yes = Иә, бас тартамын
sent-cancel-no = Жоқ, қалсын
sent-cancelled = Хабар енді жіберілмейді.
sent-too-late = Кеш болып қалды: жағдай өзгеріп кетті. Қазіргісі мынау.
sent-report = Тұрғындар есебі
sent-report-coming = Есепті дайындап жатырмын, осында файл болып келеді.
sent-file-failed =
    «{ $title }» деген хабар кетпеді: бір файлды жүктеу мүмкін болмады.
    Онсыз жалғастыруға немесе бас тартып, қайта жіберуге болады.
sent-role-ended = «{ $title }» деген хабар кетпеді: сіздің хабар жіберу құқығыңыз аяқталған. Әкім аппаратына хабарласыңыз.
sent-role-ended-office = «{ $title }» хабары кетпеді: оны дайындаған қызметкердің жіберу құқығы аяқталған. Керек болса, оны өзіңіз қайта жіберіңіз.
notice-cancelled-line = Жіберуші бұл хабарды қайтарып алды.

report-file = есеп { $at }
report-here = «{ $title }» деген хабардың есебі. Мұнда тұрғындардың аты-жөні бар: бөгде адамға жібермеңіз.
report-name = Аты-жөні
report-village = Ауылы
report-messenger = Мессенджер
report-outcome = Нәтижесі
report-sent = Жіберілді
report-delivered = Жетті
report-read = Ашылды
report-receipt = «Оқыдым» белгісі
report-shared = Ортақ телефонда бір белгі
report-shared-yes = иә
report-deleted = деректері өшірілген
messenger-telegram = Telegram
messenger-whatsapp = WhatsApp

state-sent = жіберілді
state-sent-in-part = файлсыз жіберілді
state-announced = хабарлама жетті, толық мәтіні ашылмады
state-pending = әлі жіберіліп жатыр
state-paused = уақытша тоқтатылған
state-muted = мұндай хабарды өшіріп қойған
state-merged = басқа чатында алған
state-no-address = чаты жоқ
state-deleted = деректері өшірілген
state-blocked = хабар алғысы келмейді
state-never-started = чатты әлі бастамаған
state-deactivated = аккаунты жойылған
state-bad-recipient = нөмірі мессенджерде жоқ
state-window-closed = адамның өзі жазғанын күтіп тұр
state-template-unavailable = WhatsApp үлгіні әлі бекітпеген
state-daily-limit = өз күнін күтіп тұр (WhatsApp шегі)
state-quiet-hours = таңды күтуде: түнде жіберілмейді
state-throttled = мессенджер күте тұруды сұрайды
state-transient = байланыс үзілді, қайталанады
state-unknown = жеткен-жетпегені белгісіз
state-refused = мессенджер қабылдамады
state-unreachable = байланыс болмады
state-expired = жіберілмеді: адамның өзі жазбады, мерзімі өтті
state-superseded = жаңасымен ауыстырылды
state-cancelled = бас тартылды

correct-write-kk =
    Қазақшасы қазір мынадай:

    { $title }
    { $body }

    Жаңа мәтінін жазыңыз: бірінші жолға тақырыбын, келесі жолға мәтінін.
correct-write-ru =
    Орысшасы қазір мынадай:

    { $title }
    { $body }

    Жаңа мәтінін жазыңыз: бірінші жолға тақырыбын, келесі жолға мәтінін.
correct-keep = Сол күйі қалсын
correct-sample =
    📢 Түзету. { $office }
    { $title }
    { $body }
correct-preview =
    Енді мынадай болады:

    { $sample }

    { $who }
    { $ask }
correct-only-kk = Тек қазақша мәтіні өзгереді: түзету қазақша оқитындарға ғана барады. Қалғандарына жаңа ештеңе келмейді.
correct-only-ru = Тек орысша мәтіні өзгереді: түзету орысша оқитындарға ғана барады. Қалғандарына жаңа ештеңе келмейді.
correct-who =
    Бұрынғысын алғаны: { $had }. Оларға түзету барады.
    Әлі алмағаны: { $left }. Оларға бірден жаңа мәтін барады.
correct-nobody = Қазір бұл мәтінді ешкім алмайды. Оны хабарды кейін ашқандар көреді.
correct-who-before = Хабар әлі ешкімге жіберілген жоқ: бәріне бірден жаңа мәтін барады.
correct-ask = Түзетуді жіберейін бе?
correct-ask-paused =
    Хабар уақытша тоқтатылған: түзету «Жіберуді жалғастыру» дегенді басқанда барады.
    Түзетуді сақтайын ба?
correct-ask-before = Түзетуді сақтайын ба?
correct-send = Түзетуді жіберу
correct-save = Түзетуді сақтау
correct-no-files = Түзетуге файл қоса алмаймын: тек мәтіні түзетіледі.
correct-waits =
    Басқа хабарды түзетуіңіз аяқталмай тұр: «{ $waits }».
    «{ $title }» дегенді түзетсеңіз, оған жазғаныңыз өшіріледі.
    Қайсысын түзетесіз?
correct-go-on = Бастағанын аяқтау
correct-begin = Осыны түзету
correct-meanwhile = Сіз жазып жатқанда хабарды басқа адам түзетіп қойды. Сіздің түзетуіңізбен мынадай болады.
correct-nothing = Әзірге ештеңе өзгерген жоқ. Қай мәтінді түзетесіз?
correct-done = Түзету жіберіліп жатыр.
correct-done-nobody = Түзету сақталды.
correct-done-paused = Түзету сақталды. «Жіберуді жалғастыру» дегенді басқанда барады.
correct-done-before = Түзету сақталды. Бәріне бірден жаңа мәтін барады.
correct-done-quiet = Түзету сақталды. Түнде жіберілмейді, кететін уақыты: { $at }.
correct-undo = Түзетуден бас тартылды, хабар бұрынғыша қалды.
parked-correction = Хабарды түзету аяқталмады, әзірге бұрынғы мәтіні күшінде.
