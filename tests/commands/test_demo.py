"""The demo beside another one, and what its page takes for a step that was done."""

from pathlib import Path
from typing import Any

import pytest
from support.command import zhiyn
from support.database import TestDatabase

from bot import demo
from core.languages import Language
from core.texts import T, texts


async def test_a_second_demo_on_the_same_folder_is_refused(
    db: TestDatabase, tmp_path: Path
) -> None:
    """It started a second program on the database of the first, and both broke."""
    (tmp_path / demo.SEEDED).touch()
    with demo.alone(tmp_path):
        for more in ((), ("--reset",)):
            ran = await zhiyn(db, "demo", "--no-browser", "--data", str(tmp_path), *more)
            assert ran.code == 1
            assert str(tmp_path) in ran.err
            assert "running already" in ran.err
            assert "Traceback" not in ran.err
            assert (tmp_path / demo.SEEDED).exists()
    with demo.alone(tmp_path):
        pass  # the first is over: nothing is left that would refuse the next


def test_what_is_forgotten_is_not_the_lock(tmp_path: Path) -> None:
    (tmp_path / "messengers").mkdir()
    (tmp_path / demo.SEEDED).touch()
    with demo.alone(tmp_path):
        demo._forget(tmp_path)
        assert [one.name for one in tmp_path.iterdir()] == [demo.RUNNING]
        with pytest.raises(SystemExit), demo.alone(tmp_path):
            pass


class Page:
    """What the page is told."""

    async def post(self, path: str, **body: Any) -> None:
        self.steps = body["steps"]


@pytest.mark.parametrize("state", ["sending", "finished", "paused", "cancelled"])
@pytest.mark.parametrize("language", Language)
async def test_a_notice_that_was_paused_or_cancelled_was_sent(
    state: str, language: Language
) -> None:
    page = Page()
    await demo._guide(page)  # type: ignore[arg-type]
    said = texts().say(language, T(f"live-{state}", done=812, total=942))
    assert any(words in said for words in page.steps[1]["done_when"]["contains"])
