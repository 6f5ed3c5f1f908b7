"""Ages: who is grown up, counted by the calendar in Kazakhstan."""

from datetime import date, timedelta


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


def not_at_once(majority: date, asked: date, days: int, told: date | None = None) -> date:
    """The day of majority of a minor who gave another date of birth on the day `asked`: not before
    as many calendar days as after a move, and not later than what was `told` before."""
    latest = asked + timedelta(days=days)
    return max(majority, min(told, latest) if told else latest)
