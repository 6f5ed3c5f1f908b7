"""Ages: who is grown up, counted by the calendar in Kazakhstan."""

from datetime import date


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
