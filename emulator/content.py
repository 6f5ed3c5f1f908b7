"""Twilio's Content resources: made beforehand, filled with variables, approved as templates."""

import json
import re
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from emulator import limits
from emulator.clock import Clock
from emulator.store import Json, Store

PLACE: Final = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
QUICK: Final = "twilio/quick-reply"
LIST: Final = "twilio/list-picker"
TEXT: Final = "twilio/text"
MEDIA: Final = "twilio/media"
KNOWN: Final = (TEXT, QUICK, LIST, MEDIA)


class TwilioError(Exception):
    """A refusal: HTTP status, Twilio's code, a text."""

    def __init__(self, status: int, code: int, what: str = "", detail: str = "") -> None:
        text = limits.TWILIO_ERRORS.get(code, "Error").format(what=what)
        super().__init__(f"{code} {text} {detail}".strip())
        self.status = status
        self.code = code
        self.text = f"{text} {detail}".strip()

    def body(self) -> Json:
        """The JSON that Twilio answers."""
        info = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.text, "more_info": info, "status": self.status}


class Refused(Exception):
    """WhatsApp's refusal after Twilio has accepted: the code comes by status callback."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code


@dataclass
class Content:
    """One resource with its approval."""

    sid: str
    account_sid: str
    friendly_name: str
    language: str
    variables: dict[str, str]
    types: Json
    at: float
    approval: Json = field(default_factory=dict)  # {name, category, status, ...}
    paused: bool = False

    @property
    def kind(self) -> str:
        """The richest type that WhatsApp would use."""
        return next(kind for kind in (LIST, QUICK, MEDIA, TEXT) if kind in self.types)

    @property
    def approved(self) -> bool:
        """Whether it may be sent outside the window."""
        return self.approval.get("status") == "approved"

    def names(self) -> set[str]:
        """The variables it uses."""
        return set(PLACE.findall(json.dumps(self.types, ensure_ascii=False)))

    def to_json(self, base: str) -> Json:
        """The resource as Twilio's API shows it."""
        at = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        url = f"{base}/v1/Content/{self.sid}"
        return {
            "sid": self.sid, "account_sid": self.account_sid, "language": self.language,
            "friendly_name": self.friendly_name, "variables": self.variables,
            "types": self.types, "date_created": at, "date_updated": at, "url": url,
            "links": {"approval_create": f"{url}/ApprovalRequests/whatsapp",
                      "approval_fetch": f"{url}/ApprovalRequests"},
        }  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """What the person will see."""

    body: str
    buttons: list[Json] = field(default_factory=list)
    listing: Json | None = None
    media: str = ""


class Contents:
    """All resources of the account."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.all: dict[str, Content] = {}

    def load(self) -> None:
        """Reads what an earlier run left."""
        for body in self._store.load("content"):
            self.all[body["sid"]] = Content(**body)

    def save(self, content: Content) -> None:
        """Writes it."""
        self._store.put("content", content.sid, lambda: asdict(content))

    def create(self, account: str, body: Json) -> Content:
        """POST /v1/Content."""
        types = _only_set(body.get("types") or {})
        _check_types(types)
        variables = {str(k): str(v) for k, v in (body.get("variables") or {}).items()}
        if not body.get("language"):
            raise TwilioError(400, 20001, detail="language is required")
        content = Content(
            "HX" + uuid.uuid4().hex, account, str(body.get("friendly_name") or ""),
            str(body["language"]), variables, types, self._clock.now(),
        )  # fmt: skip
        if len(content.names() | set(variables)) > limits.WA_VARIABLES:
            raise TwilioError(400, 20001, detail="more than 100 variables")
        self.all[content.sid] = content
        self.save(content)
        return content

    def get(self, sid: str) -> Content:
        """The resource, or Twilio's 404."""
        if sid not in self.all:
            raise TwilioError(404, 20404, f"/v1/Content/{sid}")
        return self.all[sid]

    def delete(self, sid: str) -> None:
        """Removes it."""
        self.get(sid)
        del self.all[sid]
        self._store.drop("content", sid)

    def ask_approval(self, sid: str, body: Json, approve: bool) -> Json:
        """POST .../ApprovalRequests/whatsapp."""
        content = self.get(sid)
        name = str(body.get("name") or "")
        if not re.fullmatch(r"[a-z0-9_]{1,512}", name):
            raise TwilioError(400, 20001, detail="name must be lowercase letters, digits, _")
        category = str(body.get("category") or "").upper()
        if category not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
            raise TwilioError(400, 20001, detail="unknown category")
        if content.kind == LIST:
            raise TwilioError(400, 20001, detail="list-picker cannot be a template")
        if content.approval and content.approval["status"] != "rejected":
            raise TwilioError(400, 20001, detail="an approval request exists already")
        content.approval = {
            "name": name, "category": category, "content_type": content.kind,
            "status": "approved" if approve else "received", "rejection_reason": "",
            "allow_category_change": True,
        }  # fmt: skip
        self.save(content)
        return content.approval

    def decide(self, sid: str, status: str, reason: str = "") -> None:
        """Script: approved, rejected, pending, or paused."""
        content = self.get(sid)
        content.paused = status == "paused"
        name = content.approval.get("name") or content.friendly_name
        content.approval = {
            "name": name, "category": content.approval.get("category", "UTILITY"),
            "content_type": content.kind, "status": status, "rejection_reason": reason,
            "allow_category_change": True,
        }  # fmt: skip
        self.save(content)


def _only_set(value: Any) -> Any:
    """Without the nulls that Twilio's client sends for every type it knows."""
    if isinstance(value, dict):
        return {key: _only_set(item) for key, item in value.items() if item is not None}
    return [_only_set(item) for item in value] if isinstance(value, list) else value


def _check_types(types: Json) -> None:
    if not types:
        raise TwilioError(400, 20001, detail="types is required")
    for kind, body in types.items():
        if kind not in KNOWN:
            raise TwilioError(400, 20001, detail=f"the emulator does not know {kind}")
        if not str(body.get("body") or ("-" if kind == MEDIA else "")).strip():
            raise TwilioError(400, 20001, detail=f"{kind}: body is required")
    try:
        _check_quick(types.get(QUICK), limits.WA_QUICK_TEMPLATE, filled=False)
        _check_list(types.get(LIST), filled=False)
    except Refused as error:
        raise TwilioError(400, 20001, detail=str(error)) from None
    if MEDIA in types and not types[MEDIA].get("media"):
        raise TwilioError(400, 20001, detail="twilio/media: media is required")


def _short(name: str, value: Any, most: int, filled: bool, least: int = 1) -> None:
    """Lengths hold for what is sent; a placeholder is measured when it is filled."""
    text = "" if value is None else str(value)
    if not filled and PLACE.search(text):
        return
    if not least <= len(text) <= most:
        raise Refused(63005, f"{name}: {len(text)} characters, {least} to {most} allowed")


def _check_quick(body: Json | None, most: int, filled: bool) -> None:
    if body is None:
        return
    actions = body.get("actions") or []
    if not 1 <= len(actions) <= most:
        raise Refused(63005, f"quick-reply: {len(actions)} buttons, 1 to {most} allowed")
    _short("quick-reply body", body.get("body"), limits.WA_QUICK_BODY, filled)
    for action in actions:
        _short("quick-reply title", action.get("title"), limits.WA_QUICK_TITLE, filled)
        _short("quick-reply id", action.get("id"), limits.WA_QUICK_ID, filled, 0)
    _unique("quick-reply title", [action.get("title") for action in actions])
    _unique("quick-reply id", [action.get("id") for action in actions if action.get("id")])


def _check_list(body: Json | None, filled: bool) -> None:
    if body is None:
        return
    items = body.get("items") or []
    if not 1 <= len(items) <= limits.WA_LIST_ITEMS:
        raise Refused(63005, f"list-picker: {len(items)} items, 1 to 10 allowed")
    _short("list-picker body", body.get("body"), limits.WA_LIST_BODY, filled)
    _short("list-picker button", body.get("button"), limits.WA_LIST_BUTTON, filled)
    for item in items:
        _short("list-picker item", item.get("item"), limits.WA_LIST_TITLE, filled)
        _short("list-picker id", item.get("id"), limits.WA_LIST_ID, filled)
        _short("list-picker description", item.get("description"), limits.WA_LIST_TEXT, filled, 0)
    _unique("list-picker id", [item.get("id") for item in items])


def _unique(name: str, values: list[Any]) -> None:
    if len(set(values)) != len(values):
        raise Refused(63005, f"{name}: not unique")


def read_variables(text: str) -> dict[str, str] | None:
    """ContentVariables as Twilio takes them: a JSON object of strings; None when not given."""
    if not text:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        raise TwilioError(400, 21656, detail="(no JSON)") from None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise TwilioError(400, 21656, detail="(an object of strings is expected)")
    if len(values) > limits.WA_VARIABLES:
        raise TwilioError(400, 21656, detail="(more than 100)")
    return values


def check_variables(content: Content, values: dict[str, str], strict_breaks: bool) -> None:
    """Every variable is there, filled, short enough and, for templates, on one line."""
    for name in content.names():
        if not values.get(name, "").strip():
            raise TwilioError(400, 21656, detail=f"(variable {name} is missing or empty)")
    for name, value in values.items():
        if len(value) > limits.WA_VARIABLE:
            raise TwilioError(400, 21658, detail=f"(variable {name})")
        if strict_breaks and re.search(r"[\n\r\t]| {5,}", value):
            raise TwilioError(400, 21656, detail=f"(variable {name}: line break, tab or spaces)")


def fill(value: Any, values: dict[str, str]) -> Any:
    """The same structure with every {{n}} replaced."""
    if isinstance(value, str):
        return PLACE.sub(lambda match: values.get(match.group(1), match.group(0)), value)
    if isinstance(value, dict):
        return {key: fill(item, values) for key, item in value.items()}
    return [fill(item, values) for item in value] if isinstance(value, list) else value


def render(content: Content, values: dict[str, str]) -> Rendered:
    """What is shown; Refused when a filled field is too long for WhatsApp."""
    body = fill(content.types[content.kind], values)
    if content.kind == QUICK:
        most = limits.WA_QUICK_TEMPLATE if content.approved else limits.WA_QUICK_SESSION
        _check_quick(body, most, filled=True)
        actions = [{"text": a["title"], "id": a.get("id") or ""} for a in body["actions"]]
        return Rendered(body["body"], buttons=actions)
    if content.kind == LIST:
        _check_list(body, filled=True)
        items = [{"id": i["id"], "title": i["item"], "description": i.get("description") or ""}
                 for i in body["items"]]  # fmt: skip
        return Rendered(body["body"], listing={"button": body["button"], "items": items})
    _short(f"{content.kind} body", body.get("body"), limits.WA_CONTENT_BODY, True, 0)
    media = body.get("media") or ""
    return Rendered(body.get("body") or "", media=media[0] if isinstance(media, list) else media)
