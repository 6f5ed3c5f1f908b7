## Рөлдер мен шақырулар

role-akim = Әкім
role-clerk = Әкім аппаратының қызметкері
role-deputy = Мәслихат депутаты
role-supervisor = Аудан әкімдігінің өкілі
role-operator = Жүйе операторы
office-clerk = { $akim } аппараты
role-granted =
    Сізге рөл берілді: { $role }. Аумағы: { $place }.
