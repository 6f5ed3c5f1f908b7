"""Who counts: ages by the calendar, plausible dates of birth (LAW part 1)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PeopleRules:
    """Defaults of the rulebook for people. Adults take part in gatherings (S1 scheme 4)."""

    adult_age: int = 18  # years
    oldest_age: int = 120  # years; an earlier date of birth is a slip of the thumb
    youngest_age: int = 14  # years; [ours] below, a parent speaks for the child


PEOPLE_RULES = PeopleRules()


def birthday(birth: date, years: int) -> date:
    """The calendar day on which somebody turns this old; 29 February counts as 1 March."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def age(birth: date, today: date) -> int:
    """Completed years on this calendar day."""
    years = today.year - birth.year
    return years if birthday(birth, years) <= today else years - 1


def adult_from(birth: date, rules: PeopleRules = PEOPLE_RULES) -> date:
    """The calendar day of majority (full legal capacity at 18: Civil Code art. 17)."""
    return birthday(birth, rules.adult_age)
