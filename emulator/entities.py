"""Telegram's formatting: HTML into text and entities, and the check that entities fit."""

import html
import re
from dataclasses import dataclass, field
from typing import Final

from emulator.store import Json

TAGS: Final = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "code": "code", "pre": "pre", "a": "text_link", "tg-spoiler": "spoiler", "span": "spoiler",
    "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
TOKEN: Final = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s+[^<>]*)?)>|&(#?\w+);|<|[^<&]+|&")
HREF: Final = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")
# Telegram understands only these four named entities (Bot API, "HTML style").
NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


class CannotParse(ValueError):
    """The text's markup is wrong; the words are the Bot API's."""


def units(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class _Parser:
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    open: list[tuple[str, Json]] = field(default_factory=list)

    def token(self, match: re.Match[str]) -> None:
        slash, tag, rest, named = match.group(1, 2, 3, 4)
        if tag:
            self.tag(bool(slash), tag.lower(), rest or "", match.start())
        elif named:
            self.text += _named(named)
        elif match.group(0) == "<":
            raise CannotParse(f"Unsupported start tag at byte offset {match.start()}")
        else:
            self.text += match.group(0)

    def tag(self, closing: bool, tag: str, rest: str, at: int) -> None:
        if tag not in TAGS:
            raise CannotParse(f'Unsupported start tag "{tag}" at byte offset {at}')
        if closing:
            self.close(tag, at)
            return
        entity: Json = {"type": TAGS[tag], "offset": units(self.text)}
        if tag == "a" and (href := HREF.search(rest)):
            entity["url"] = html.unescape(href.group(1) or href.group(2) or href.group(3) or "")
        self.open.append((tag, entity))

    def close(self, tag: str, at: int) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise CannotParse(f"Unexpected end tag at byte offset {at}")
        _, entity = self.open.pop()
        entity["length"] = units(self.text) - entity["offset"]
        if entity["length"] and (entity["type"] != "text_link" or entity.get("url")):
            self.entities.append(entity)


def _named(name: str) -> str:
    if name.startswith("#") or name in NAMED:
        return html.unescape(f"&{name};")
    return f"&{name};"


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text and entities of parse_mode=HTML; CannotParse for what Telegram refuses."""
    parser = _Parser()
    for match in TOKEN.finditer(source):
        parser.token(match)
    if parser.open:
        tag = parser.open[-1][0]
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{tag}"')
    parser.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return parser.text, parser.entities


def parse(text: str, mode: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """What Telegram would show; parse_mode wins over entities."""
    if not mode:
        return text, check(text, entities)
    if mode.lower() == "html":
        return parse_html(text)
    raise CannotParse("unsupported parse_mode")


def check(text: str, entities: list[Json]) -> list[Json]:
    """The entities, when each lies inside the text."""
    size = units(text)
    for entity in entities:
        offset, length = int(entity.get("offset", -1)), int(entity.get("length", 0))
        if offset < 0 or length <= 0 or offset + length > size:
            raise CannotParse(f"entity beginning at UTF-16 offset {offset} ends after the text")
    return entities


def commands(text: str) -> list[Json]:
    """The bot_command entity that Telegram adds to a text such as "/start abc"."""
    match = re.match(r"/[a-zA-Z0-9_]{1,32}(@\w+)?", text)
    return [{"type": "bot_command", "offset": 0, "length": match.end()}] if match else []
