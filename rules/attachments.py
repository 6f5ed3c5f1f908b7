"""What may go with a notice: kinds and sizes of files, told by their first bytes.

Limits: WhatsApp pictures 5 MB, other media 16 MB (Twilio, guidance-whatsapp-media-messages);
Telegram gives bots files of up to 20 MB (Bot API, getFile).
"""

import re
from enum import StrEnum
from io import BytesIO
from zipfile import BadZipFile, ZipFile

MOST_FILES = 5  # of one notice
PICTURE_BYTES = 5 * 1024 * 1024
DOCUMENT_BYTES = 16 * 1024 * 1024

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {JPEG: "jpg", PNG: "png", PDF: "pdf", DOCX: "docx", XLSX: "xlsx"}
_BY_ENDING = {end: mime for mime, end in ENDINGS.items()} | {"jpeg": JPEG}
_UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/zip"})
_ENDING = re.compile(r"\.([A-Za-z]{3,4})$")
_FILE_NAME = re.compile(r"[^\n/\\]{1,120}\.(?:jpe?g|png|pdf|docx|xlsx)", re.IGNORECASE)
_PDF_WITHIN = 1024  # bytes: readers look so far for the beginning of a PDF
_PARTS = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_MACROS = "vbaProject.bin"


class FileFault(StrEnum):
    """Why a file cannot go with a notice."""

    KIND = "kind"  # not one of JPEG, PNG, PDF, DOCX, XLSX
    PICTURE_TOO_LARGE = "picture-too-large"
    TOO_LARGE = "too-large"
    GONE = "gone"  # the messenger does not give it any more


def declared_type(mime: str | None, name: str | None) -> str | None:
    """The type that a messenger declares, by the name's ending where it does not say; None for
    one that may not be sent."""
    said = (mime or "").partition(";")[0].strip().lower()
    if said in ENDINGS:
        return said
    ending = _ENDING.search(name or "")
    return _BY_ENDING.get(ending[1].lower()) if ending and said in _UNTOLD else None


def size_fault(mime: str, size: int) -> FileFault | None:
    """Too large for the messengers? Bytes; a size that is not known yet is zero."""
    if mime in (JPEG, PNG):
        return FileFault.PICTURE_TOO_LARGE if size > PICTURE_BYTES else None
    return FileFault.TOO_LARGE if size > DOCUMENT_BYTES else None


def real_type(content: bytes) -> str | None:
    """What the bytes are, whatever they are called; None for anything else than the five.

    A document with macros is none of them.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if b"%PDF-" in content[:_PDF_WITHIN]:
        return PDF
    return _office_type(content) if content.startswith(b"PK\x03\x04") else None


def looks_like_a_name(text: str) -> bool:
    """Is this only the name of a file? WhatsApp may send it in place of a caption [?]."""
    return bool(_FILE_NAME.fullmatch(text.strip()))


def _office_type(content: bytes) -> str | None:
    """By the table of contents alone: nothing is unpacked."""
    try:
        with ZipFile(BytesIO(content)) as packed:
            names = packed.namelist()
    except (BadZipFile, ValueError, OSError):
        return None
    if any(name.endswith(_MACROS) for name in names):
        return None
    return next((mime for part, mime in _PARTS.items() if part in names), None)
