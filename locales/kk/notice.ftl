## Хабар

notice-heading = 📢 { $office }
notice-heading-kind = 📢 { $kind }. { $office }
notice-heading-corrected = 📢 Түзету. { $office }
notice-kind-announcement = Хабарландыру
notice-kind-utilities = Коммуналдық қызмет және жол
notice-kind-event = Іс-шара
notice-kind-urgent = Шұғыл
notice-read = Оқыдым
notice-read-receipt = Рақмет, белгіленді.
notice-read-before = Бұл хабарды оқығаныңыз бұрын белгіленген.
notice-read-done = ✓ Оқыдыңыз
notice-not-yours = Бұл хабар сізге арналмаған. Өзіңізге келгенін көру үшін «хабарлар» деп жазыңыз.
notice-corrected = Бұл хабар түзетілген. Жаңасы мынау.
notice-none = Әзірге хабар жоқ. Жаңасы шықса, осында өзі келеді.
notice-list = Соңғы хабарлар. Қайсысын ашайын?
notice-undo = Хабар жіберілмеді, мәтіні өшірілді.

template-notice = Ауыл хабары. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-notice-button = Оқу
template-urgent = Шұғыл ауыл хабары. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-urgent-button = Оқу
template-correction = Ауыл хабары түзетілді. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-correction-button = Оқу

role-where = Кімнің атынан жібересіз?
audience-ask =
    Жіберуші: { $office }.
    Хабар кімге барсын?
audience-all = Бүкіл округке
audience-some = Ауылдарды таңдау
audience-pick =
    Қай ауылдарға? Таңдап болған соң «Дайын» дегенді басыңыз.
    Таңдалғаны: { $chosen }
audience-none = әзірге жоқ
audience-done = Дайын
audience-nothing = Кемінде бір ауыл таңдаңыз.
audience-people = { $people } тұрғын
audience-unclear = «{ $typed }» дегеніңізді түсінбедім. Тізімнен таңдаңыз немесе нөмірін жазыңыз: 1, 2, 3.
audience-empty = Мұнда әлі ешкім тіркелмеген, сондықтан хабар ешкімге бармайды. Басқа ауылды таңдаңыз немесе тұрғындар тіркелген соң жіберіңіз.

notice-write-kk =
    Хабарды қазақша жазыңыз: бірінші жолға тақырыбын, келесі жолға мәтінін. Мысалы:
    Су құбыры жөнделеді
    Ертең сағат 9:00-ден 14:00-ге дейін су болмайды. Алдын ала құйып алыңыз.
notice-write-ru =
    Хабарды орысша жазыңыз: бірінші жолға тақырыбын, келесі жолға мәтінін. Мысалы:
    Ремонт водопровода
    Завтра с 9:00 до 14:00 не будет воды. Наберите заранее.
notice-only-kk = Тек қазақша
notice-only-ru = Тек орысша
notice-both = Екі тілде
notice-needs-body =
    Тақырып пен мәтін бөлек жолда болуы керек. Мысалы:
    Су құбыры жөнделеді
    Ертең сағат 9:00-ден 14:00-ге дейін су болмайды.
notice-title-long = Тақырып тым ұзын: { $length } таңба. Бірінші жол 100 таңбадан аспасын, қалғанын келесі жолға жазыңыз.
notice-body-long = Мәтін тым ұзын: { $length } таңба. 3000 таңбадан асырмай, тақырыбымен қайта жазыңыз.
notice-words-only = Әзірге мәтінді ғана жібере аламын. Хабарды сөзбен жазыңыз.

notice-preview =
    Тұрғындар осылай көреді:

    { $sample }

    Алушылар: { $people } (Telegram — { $telegram }, WhatsApp — { $whatsapp }). { $unreachable }
    Жіберейін бе?
notice-preview-unreachable = { $people } адамның чаты жоқ.
notice-preview-all = Бәрінің чаты бар.
notice-sample =
    📢 { $office }
    { $title }
    { $body }
notice-send = Жіберу
notice-fix-kk = Қазақшасын түзету
notice-fix-ru = Орысшасын түзету
notice-fix-audience = Алушыларды өзгерту
notice-preview-unclear = «{ $typed }» дегеніңізді түсінбедім, хабар әлі жіберілген жоқ. Жіберейін бе, түзетесіз бе? Тізімнен таңдаңыз немесе нөмірін жазыңыз: 1, 2, 3.
