"""Parameters of a Bot API call, whether they came as a form, multipart or JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from emulator.store import Json


class BotApiError(Exception):
    """A refusal in the Bot API's words."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        """The JSON that the Bot API answers."""
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(text: str) -> BotApiError:
    """400 with the Bot API's prefix."""
    return BotApiError(400, f"Bad Request: {text}")


@dataclass(frozen=True)
class Upload:
    """A file that came in the request."""

    name: str
    mime: str
    content: bytes


@dataclass
class Params:
    """Typed access to the fields; objects may be JSON text inside a form."""

    values: dict[str, Any]
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """A string field."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else str(value)

    def int(self, name: str, default: int = 0) -> int:
        """A whole number; refuses what is none."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"parameter {name} must be an integer") from None

    def bool(self, name: str) -> bool:
        """True for true, "true", "True", 1."""
        return str(self.values.get(name, "")).lower() in ("true", "1", "yes")

    def json(self, name: str) -> Any:
        """An object or array; None when absent; refuses text that is no JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def list(self, name: str) -> list[Any]:
        """An array; empty when absent."""
        value = self.json(name)
        return value if isinstance(value, list) else []


async def read_params(request: web.Request) -> Params:
    """Query, form, multipart or JSON body: later ones win."""
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json() if request.can_read_body else {}
        return Params(values | (body if isinstance(body, dict) else {}))
    files: dict[str, Upload] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = Upload(value.filename, value.content_type, value.file.read())
        else:
            values[name] = value
    return Params(values, files)
