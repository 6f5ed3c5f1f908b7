"""Another moment for a notice that has not begun: from its card, at the office's own word."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.forms import Form, Step
from conversation.message import Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.texts import Joined, Near, T
from handlers import home, notice_preview, notice_words, sent
from handlers.forms import known
from handlers.notice_audience import KEPT
from services import notice_changes, notices

routes = Routes()


@routes.choice("n-when", durable=True)
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Asks when, as the notice's own form does."""
    notice = sent.notice_of(turn, ids)
    found = await notices.changed_by(turn.unit, notice, turn.speaker)
    if not sent.has_moment(found):
        return await sent.card_saying(turn, notice, T("sent-too-late"))
    forms.park(turn)
    at = found.send_at.isoformat() if found.send_at else None
    return await forms.begin(turn, FORM, {"id": str(notice), "send_at": at})


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    """The notice waits for the new moment, or goes now; one that was paused, too."""
    notice, wanted = UUID(answers["id"]), notice_preview.send_at(answers)
    if answers.get(KEPT):
        return await sent.card_saying(turn, notice, T("moment-undo"))
    moment = await notice_changes.reschedule(turn.unit, notice, wanted or turn.unit.now)
    found = await notices.view(turn.unit, notice)
    if moment is None or found is None:
        return await sent.card_saying(turn, notice, T("sent-too-late"))
    await sent.tell_akims(turn, notice, "clerk-sent", later="clerk-moved")
    if moment <= turn.unit.now:
        said = T("moment-now")
    else:
        quiet = moment > (wanted or turn.unit.now)
        said = T("preview-quiet" if quiet else "moment-done", at=Near(moment, turn.unit.now))
    days = notice_words.days_named(found.texts, moment, turn.unit.now)
    choices = (sent.live_button(notice),)
    return [Reply(Joined([said, *days]), choices, (home.MENU,), title=found.title, screen=False)]


FORM = known(
    Form(
        name="moment",
        version=1,
        steps=(Step("when", notice_preview.ask_when, notice_preview.when, free_text=True),),
        finish=_finish,
        cancelled=T("moment-undo"),
    )
)
routes.form(FORM)
