"""The one Clock: nothing else asks for the time, in Python or in SQL (invariant 9)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_zone = ZoneInfo("Asia/Almaty")  # UTC+5 since 01.03.2024; `zhiyn doctor` checks the tz database


def use_zone(name: str) -> None:
    """The zone of the setting TIMEZONE, once at start: where calendar days begin."""
    global _zone
    _zone = ZoneInfo(name)


@dataclass(slots=True)
class Clock:
    """Real time plus an offset that lies in the database: zero in production.

    The demo moves the offset to say "next day"; a running process takes the stored
    value over once a second, so that all processes of an installation agree.
    """

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """This moment in UTC."""
        return datetime.now(UTC) + self.offset

    def today(self) -> date:
        """The calendar day in Kazakhstan: the day that legal periods count."""
        return local_date(self.now())


@dataclass(slots=True)
class FrozenClock(Clock):
    """A clock that stands until it is told to move: for tests and replays."""

    at: datetime = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at + self.offset

    def advance(self, by: timedelta) -> None:
        """Moves the hands."""
        self.at += by


def local(moment: datetime) -> datetime:
    """The moment as clocks in Kazakhstan show it."""
    return moment.astimezone(_zone)


def local_date(moment: datetime) -> date:
    """The calendar day of the moment in Kazakhstan."""
    return local(moment).date()


def end_of(day: date) -> datetime:
    """The moment, in UTC, at which this calendar day is over in Kazakhstan."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=_zone).astimezone(UTC)


def last_day(until: datetime) -> date:
    """The last calendar day in Kazakhstan before this moment: of what ends at `end_of` it."""
    return local_date(until - timedelta(microseconds=1))
