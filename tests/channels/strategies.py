"""Any content whatever, for the properties that every rendering keeps."""

from uuid import UUID

from hypothesis import strategies as st

from conversation.message import Ask, Button, Content, FileRef, Medium
from core.languages import Language

PHOTO = FileRef(UUID(int=1), Medium.PHOTO, "image/jpeg", "көпір.jpg")
PDF = FileRef(UUID(int=2), Medium.DOCUMENT, "application/pdf", "хаттама.pdf")

WORDS = st.text(max_size=80) | st.sampled_from(
    ["😀" * 2100, "сөз " * 1200, "ж\n\n" * 900, "'\"<&>*_"]
)
LABELS = st.text(min_size=1, max_size=40).filter(str.strip)
PAYLOADS = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True)
BUTTONS = st.lists(st.builds(Button, PAYLOADS, LABELS, st.none() | WORDS), max_size=12).map(tuple)
CONTENTS = st.builds(
    Content,
    language=st.sampled_from(Language),
    body=WORDS,
    heading=st.none() | WORDS,
    title=st.none() | WORDS,
    choices=BUTTONS,
    nav=BUTTONS.map(lambda buttons: buttons[:3]),
    list_label=st.text(max_size=30),
    ask=st.none() | st.just(Ask.CONTACT),
    ask_label=st.text(max_size=10),
    files=st.lists(st.sampled_from([PHOTO, PDF]), max_size=3).map(tuple),
    replaces_platform_id=st.none() | st.sampled_from(["309", "x", "-1"]),
    closes_keyboard=st.booleans(),
)
