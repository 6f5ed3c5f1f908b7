"""Keyboards as Telegram takes them: what is refused, and what a phone will show."""

from typing import Any

from emulator import limits
from emulator.store import Json
from emulator.tg_params import bad_request

INLINE_KINDS = (
    "callback_data", "url", "web_app", "login_url", "switch_inline_query", "copy_text", "pay",
    "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "callback_game",
)  # fmt: skip


def check_markup(markup: Any) -> Json:
    """The markup again, or the Bot API's refusal; {} when there is none."""
    if markup is None or markup == {}:
        return {}
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        _check_inline(markup["inline_keyboard"])
    elif "keyboard" in markup:
        _check_reply(markup["keyboard"])
    elif not (markup.get("remove_keyboard") or markup.get("force_reply")):
        raise bad_request("can't parse reply keyboard markup JSON object")
    return markup


def _rows(rows: Any, what: str, most: int) -> list[Json]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request(f"field {what} must be an Array of Arrays")
    buttons = [button for row in rows for button in row]
    if len(buttons) > most:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return buttons


def _check_inline(rows: Any) -> None:
    for button in _rows(rows, "inline_keyboard", limits.TG_INLINE_BUTTONS):
        if not str(button.get("text", "")).strip():
            raise bad_request("can't parse inline keyboard button: text must be non-empty")
        kinds = [kind for kind in INLINE_KINDS if button.get(kind) is not None]
        if len(kinds) != 1:
            raise bad_request(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline"
                " keyboard" if not kinds else "BUTTON_TYPE_INVALID"
            )  # fmt: skip
        if "callback_data" in kinds:
            _check_data(button["callback_data"])


def _check_data(data: Any) -> None:
    size = len(str(data).encode())
    if not 1 <= size <= limits.TG_CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")


def _check_reply(rows: Any) -> None:
    buttons = _rows(rows, "keyboard", limits.TG_REPLY_BUTTONS)
    if not buttons:
        raise bad_request("reply keyboard must have at least one button")
    for button in buttons:
        text = button if isinstance(button, str) else str(button.get("text", ""))
        if not text.strip():
            raise bad_request("can't parse keyboard button: text must be non-empty")


def inline_buttons(markup: Json) -> list[list[Json]]:
    """Rows of {text, data | url} for the phone."""
    rows = markup.get("inline_keyboard") or []
    return [[_button(button) for button in row] for row in rows]


def _button(button: Json) -> Json:
    shown: Json = {"text": button["text"]}
    if button.get("callback_data") is not None:
        shown["data"] = button["callback_data"]
    if button.get("url"):
        shown["url"] = button["url"]
    return shown


def reply_keyboard(markup: Json) -> Json | None:
    """{rows: [[{text, contact?, location?}]], once, placeholder} for the phone."""
    if "keyboard" not in markup:
        return None
    rows = [[_key(key) for key in row] for row in markup["keyboard"]]
    return {
        "rows": rows,
        "once": bool(markup.get("one_time_keyboard")),
        "placeholder": markup.get("input_field_placeholder") or "",
    }


def _key(key: Any) -> Json:
    if isinstance(key, str):
        return {"text": key}
    shown: Json = {"text": key["text"]}
    for kind in ("contact", "location"):
        if key.get(f"request_{kind}"):
            shown[kind] = True
    return shown
