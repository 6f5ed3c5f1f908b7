"""Files that went over the messengers: kept with their name, type and size."""

import mimetypes
import secrets
import struct

from emulator.store import Json, Store


class Files:
    """Bytes by id; the ids are random and say nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, content: bytes, name: str, mime: str = "", prefix: str = "F") -> Json:
        """Keeps the file; returns {file, name, mime, size, width?, height?}."""
        mime = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        meta: Json = {"file": prefix + secrets.token_urlsafe(18), "name": name, "mime": mime}
        meta["size"] = len(content)
        if size := picture_size(content):
            meta["width"], meta["height"] = size
        self._store.put_file(meta["file"], meta, content)
        return meta

    def get(self, file_id: str) -> tuple[Json, bytes] | None:
        """Description and bytes, None when unknown."""
        return self._store.file(file_id)


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or JPEG, None when it is neither."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return _jpeg_size(content) if content[:2] == b"\xff\xd8" else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return (640, 640) if len(content) > 4 else None
