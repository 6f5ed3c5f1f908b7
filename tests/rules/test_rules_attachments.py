"""What a file is told by its bytes, not by its name."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.attachments import (
    DOCUMENT_BYTES,
    DOCX,
    JPEG,
    PDF,
    PICTURE_BYTES,
    PNG,
    XLSX,
    FileFault,
    declared_type,
    looks_like_a_name,
    real_type,
    size_fault,
)


def packed(*names: str) -> bytes:
    """A zip archive of files with these names."""
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"\xff\xd8\xff\xe0 picture", JPEG),
        (b"\x89PNG\r\n\x1a\n picture", PNG),
        (b"%PDF-1.7\n", PDF),
        (b"\n\n%PDF-1.4\n", PDF),
        (packed("[Content_Types].xml", "word/document.xml"), DOCX),
        (packed("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        (packed("word/document.xml", "word/vbaProject.bin"), None),
        (packed("a.exe"), None),
        (packed("word/document.xml")[:-10], None),
        (b"PK\x03\x04", None),
        (b"MZ\x90", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
        (b"GIF89a", None),
        (b"RIFF\x00\x00\x00\x00WEBP", None),
        (b"<html>", None),
        (b" " * 2000 + b"%PDF-1.4", None),
        (b"", None),
    ],
)
def test_the_real_type(content: bytes, mime: str | None) -> None:
    assert real_type(content) == mime


@pytest.mark.parametrize(
    ("said", "name", "mime"),
    [
        ("image/jpeg", None, JPEG),
        ("IMAGE/PNG", None, PNG),
        ("application/pdf; charset=binary", "a", PDF),
        (DOCX, "a.docx", DOCX),
        (None, "смета.PDF", PDF),
        ("application/octet-stream", "план.xlsx", XLSX),
        ("application/octet-stream", "фото.jpeg", JPEG),
        ("application/zip", "a.docx", DOCX),
        ("application/octet-stream", "a.exe", None),
        ("application/x-msdownload", "a.pdf", None),
        ("image/webp", "a.jpg", None),
        (None, None, None),
        ("", "", None),
    ],
)
def test_the_declared_type(said: str | None, name: str | None, mime: str | None) -> None:
    assert declared_type(said, name) == mime


@pytest.mark.parametrize(
    ("mime", "most", "fault"),
    [
        (JPEG, PICTURE_BYTES, FileFault.PICTURE_TOO_LARGE),
        (PNG, PICTURE_BYTES, FileFault.PICTURE_TOO_LARGE),
        (PDF, DOCUMENT_BYTES, FileFault.TOO_LARGE),
        (XLSX, DOCUMENT_BYTES, FileFault.TOO_LARGE),
    ],
)
def test_sizes(mime: str, most: int, fault: FileFault) -> None:
    assert size_fault(mime, 0) is None
    assert size_fault(mime, most) is None
    assert size_fault(mime, most + 1) is fault


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("смета.pdf", True),
        (" План работ 2026.DOCX ", True),
        ("Ремонт.\nЗавтра.pdf", False),
        ("Ремонт водопровода. Завтра", False),
        ("", False),
        ("../../etc/a.pdf", False),
    ],
)
def test_names(text: str, name: bool) -> None:
    assert looks_like_a_name(text) is name


@given(content=st.binary(max_size=200), head=st.sampled_from([b"", b"PK\x03\x04", b"\xff\xd8"]))
def test_nothing_breaks_it(content: bytes, head: bytes) -> None:
    assert real_type(head + content) in (None, JPEG, PNG, PDF, DOCX, XLSX)
