## Хабар

notice-heading = 📢 { $office }
notice-heading-kind = 📢 { $kind }. { $office }
notice-heading-corrected = 📢 Түзету. { $office }
notice-kind-announcement = Хабарландыру
notice-kind-utilities = Су, жарық және жол
notice-kind-event = Іс-шара
notice-kind-urgent = Шұғыл
notice-read = Оқыдым
notice-read-receipt = Рақмет, белгіленді.
notice-read-receipt-family = Рақмет, осы телефондағы барлығыңыз үшін белгіленді: { $people } адам.
notice-read-before-family = Осы телефондағы барлығыңыз үшін бұрын белгіленген: { $people } адам.
notice-read-before = Бұл хабарды оқығаныңыз бұрын белгіленген.
notice-read-done = ✓ Оқыдыңыз
notice-not-yours = Бұл хабар сізге арналмаған. Өзіңізге келгенін көру үшін «хабарлар» деп жазыңыз.
notice-corrected = Бұл хабар түзетілген. Жаңасы мынау.
notice-corrected-here = Бұл хабар түзетілген. Жаңасы сізде бар.
notice-corrected-comes = Бұл хабар түзетілген. Жаңасы қазір келеді.
notice-show-new = Жаңасын көрсету
notice-none = Әзірге хабар жоқ. Жаңасы шықса, осында өзі келеді.
notice-list = Соңғы хабарлар. Қайсысын ашайын?

template-notice = Ауыл хабары. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-notice-button = Оқу
template-urgent = Шұғыл ауыл хабары. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-urgent-button = Оқу
template-correction = Ауыл хабары түзетілді. { $first }: { $second }. Толық оқу үшін «Оқу» дегенді басыңыз.
template-correction-button = Оқу
