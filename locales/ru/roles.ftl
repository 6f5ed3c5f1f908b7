## Роли и приглашения

role-akim = Аким
role-clerk = Сотрудник аппарата акима
role-deputy = Депутат мәслихата
role-supervisor = Представитель акимата района
role-operator = Оператор системы
office-clerk = { $akim }, аппарат
role-granted =
    Вам дана роль: { $role }. Место: { $place }.
