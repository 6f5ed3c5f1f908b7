"""One clock: UTC inside, the calendar day of Kazakhstan for what the law counts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.clock import Clock, FrozenClock, local, local_date


@pytest.mark.parametrize(
    ("moment", "day", "hour"),
    [
        pytest.param(datetime(2026, 11, 20, 5, 0, tzinfo=UTC), date(2026, 11, 20), 10, id="day"),
        pytest.param(
            datetime(2026, 11, 20, 18, 59, tzinfo=UTC), date(2026, 11, 20), 23, id="a minute before"
        ),
        pytest.param(
            datetime(2026, 11, 20, 19, 0, tzinfo=UTC), date(2026, 11, 21), 0, id="midnight"
        ),
        pytest.param(
            datetime(2026, 12, 31, 19, 30, tzinfo=UTC), date(2027, 1, 1), 0, id="new year"
        ),
        pytest.param(
            datetime(2024, 1, 31, 18, 30, tzinfo=UTC), date(2024, 2, 1), 0, id="UTC+6 until 2024"
        ),
        pytest.param(
            datetime(2024, 3, 1, 18, 30, tzinfo=UTC), date(2024, 3, 1), 23, id="UTC+5 since 2024"
        ),
    ],
)
def test_the_local_day(moment: datetime, day: date, hour: int) -> None:
    assert local_date(moment) == day
    assert local(moment).hour == hour
    assert local(moment) == moment


def test_the_offset_moves_now_and_today() -> None:
    clock = FrozenClock()
    assert clock.now() == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
    clock.offset = timedelta(days=1)
    assert clock.now() == datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
    assert clock.today() == date(2026, 11, 21)
    clock.advance(timedelta(hours=14))
    assert clock.today() == date(2026, 11, 22)


def test_the_real_clock_is_real_and_takes_the_offset() -> None:
    before = datetime.now(UTC)
    now = Clock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC
    assert Clock(timedelta(days=3)).now() - now >= timedelta(days=3)
