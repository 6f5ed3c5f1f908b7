## Хабардың немен аяқталғаны, әкімге түсінікті сөзбен

outcome-sent = Жеткізілді
outcome-announced = Хабарлама жетті, толық мәтінін адам өзі ашады
outcome-blocked = Хабар алудан бас тартқан: { $people }
outcome-never-started = Жиынмен чатты әлі бастамаған: { $people }
outcome-deactivated = Мессенджердегі аккаунты жойылған: { $people }
outcome-bad-recipient = Бұл мессенджерде жоқ нөмір: { $people }
outcome-unknown = Жеткен-жетпегені белгісіз: { $people }
outcome-refused = Мессенджер хабарды қабылдамады: { $people }
outcome-unreachable = Мессенджермен байланыс болмады: { $people }
outcome-expired = Өздері жазбады, күту мерзімі өтті: { $people }
outcome-superseded = Жаңасымен ауыстырылды: { $people }
outcome-cancelled = Жіберуші қайтарып алды: { $people }
outcome-no-address = Жазатын чаты жоқ: { $people }
outcome-window-closed = Өздері жазған соң жіберіледі: { $people }
outcome-template-unavailable = WhatsApp үлгіні әлі бекітпеген: { $people }
outcome-daily-limit = WhatsApp-тың күндік шегіне байланысты бармағаны: { $people }
outcome-quiet-hours = Таңды күтуде: { $people }
outcome-throttled = Мессенджер күте тұруды сұрады: { $people }
outcome-transient = Байланыс үзілді, қайталанады: { $people }
outcome-paused = Уақытша тоқтатылды: { $people }
