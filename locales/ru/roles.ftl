## Роли и приглашения

role-akim = Аким
role-clerk = Сотрудник аппарата акима
role-deputy = Депутат мәслихата
role-supervisor = Представитель акимата района
role-operator = Оператор системы
office-akim = { $akim }
office-clerk = Аппарат: { $akim }
role-granted =
    Вам дана роль: { $role }. Место: { $place }.
    Теперь в меню есть то, что к ней относится.
