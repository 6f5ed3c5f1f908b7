"""Which choice typed words mean; in doubt none, and never the opposite."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.matching import choose
from conversation.state import Offered
from core.languages import Language
from core.texts import T, texts

MENU = ("Хабарлар", "Менің деректерім", "Тіл · Язык", "Көмек")
LANGUAGES = ("Қазақша", "Русский")
CONSENT_RU = ("Согласен(на)", "Подробнее", "Нет")
CONSENT_KK = ("Келісемін", "Толығырақ", "Жоқ")
SURE_RU = ("Да, верно", "Имя", "Село")
SURE_KK = ("Иә, өшіру", "Жоқ, қалсын")
FAMILY = ("Да, я Серік А.", "Да, я Ия П.", "Нет, другой человек")
VILLAGES = ("Жамбыл ауылы", "Жамбыл ауылы", "Тізімнен таңдау")


def offered(labels: Sequence[str], ways: Sequence[str] = ("Артқа",)) -> list[Offered]:
    numbered = [Offered(f"p{n}", label, n) for n, label in enumerate(labels, 1)]
    return numbered + [Offered(f"w{n}", label, None) for n, label in enumerate(ways)]


def meant(text: str, labels: Sequence[str], *, free_text: bool = False) -> str | None:
    found = choose(text, offered(labels), free_text=free_text)
    return found.payload if found else None


@pytest.mark.parametrize(
    ("text", "labels", "payload"),
    [
        pytest.param("2", MENU, "p2", id="number"),
        pytest.param(" 2. ", MENU, "p2", id="number and dot"),
        pytest.param("2)", MENU, "p2", id="number and bracket"),
        pytest.param("02", MENU, "p2", id="number with a zero"),
        pytest.param("0", MENU, None, id="no such number"),
        pytest.param("5", MENU, None, id="ways out have no number"),
        pytest.param("2 3", MENU, None, id="two numbers"),
        pytest.param("2010", MENU, None, id="a year"),
        pytest.param("Хабарлар", MENU, "p1", id="label"),
        pytest.param("ХАБАРЛАР!", MENU, "p1", id="label in capitals"),
        pytest.param("менің  деректерім", MENU, "p2", id="label with two spaces"),
        pytest.param("менин деректерим", MENU, "p2", id="kazakh letters dropped"),
        pytest.param("комек", MENU, "p4", id="kazakh letters dropped, short"),
        pytest.param("казакша", LANGUAGES, "p1", id="kazakh letters dropped, language"),
        pytest.param("хабарлаар", MENU, "p1", id="a letter twice"),
        pytest.param("хбарлар", MENU, "p1", id="a letter missing"),
        pytest.param("менын деректерым", MENU, "p2", id="two letters wrong"),
        pytest.param("руский", LANGUAGES, "p2", id="one s"),
        pytest.param("артқа", MENU, "w0", id="way out by its label"),
        pytest.param("артка", MENU, "w0", id="way out without kazakh letters"),
        pytest.param("согласна", CONSENT_RU, "p1", id="she agrees"),
        pytest.param("согласен", CONSENT_RU, "p1", id="he agrees"),
        pytest.param("подробне", CONSENT_RU, "p2", id="a letter missing at the end"),
        pytest.param("келисемин", CONSENT_KK, "p1", id="agrees without kazakh letters"),
        pytest.param("келісемн", CONSENT_KK, "p1", id="agrees with a mistake"),
        pytest.param("нет", CONSENT_RU, "p3", id="short and exact"),
        pytest.param("не", CONSENT_RU, None, id="short and not exact"),
        pytest.param("жоқ", CONSENT_KK, "p3", id="no"),
        pytest.param("да", CONSENT_RU, "p1", id="yes agrees"),
        pytest.param("Иә!", CONSENT_KK, "p1", id="yes agrees in Kazakh"),
        pytest.param("ok", CONSENT_KK, "p1", id="ok agrees"),
        pytest.param("нет", CONSENT_KK, "p3", id="no of the other language"),
        pytest.param("ия", SURE_RU, "p1", id="yes of the other language"),
        pytest.param("верно", SURE_RU, "p1", id="right is yes"),
        pytest.param("нет", SURE_RU, None, id="no where nothing says no"),
        pytest.param("да", SURE_KK, "p1", id="yes, delete"),
        pytest.param("жок", SURE_KK, "p2", id="no, keep"),
        pytest.param("да", FAMILY, None, id="yes, but which of two"),
        pytest.param("жоқ", FAMILY, "p3", id="neither of two"),
        pytest.param("да", ("Ия П.", "Нет"), None, id="a name is no yes"),
        pytest.param("да", MENU, None, id="nothing was asked"),
        pytest.param("тізімнен тандау", VILLAGES, "p3", id="the only one so called"),
        pytest.param("жамбыл ауылы", VILLAGES, None, id="two are called so"),
        pytest.param("жамбыл ауыл", VILLAGES, None, id="two are nearly called so"),
        pytest.param("", MENU, None, id="nothing"),
        pytest.param("😀", MENU, None, id="emoji"),
        pytest.param("...", MENU, None, id="dots"),
        pytest.param("ауа райы қандай?", MENU, None, id="something else"),
        pytest.param("х" * 5000, MENU, None, id="5000 characters"),
    ],
)
def test_what_is_meant(text: str, labels: Sequence[str], payload: str | None) -> None:
    assert meant(text, labels) == payload


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param("Келіспеймін", CONSENT_KK, id="I do not agree"),
        pytest.param("келиспеймин", CONSENT_KK, id="I do not agree, without kazakh letters"),
        pytest.param("келіспеймн", CONSENT_KK, id="I do not agree, with a mistake"),
        pytest.param("келіспеймиз", CONSENT_KK, id="we do not agree"),
        pytest.param("не согласен", CONSENT_RU, id="не согласен"),
        pytest.param("не согласна", CONSENT_RU, id="не согласна"),
        pytest.param("несогласен", CONSENT_RU, id="in one word"),
        pytest.param("не отправить", ("Отправить", "Исправить"), id="не отправить"),
        pytest.param("неотправить", ("Отправить",), id="in one word, send"),
        pytest.param("не отправлять", ("Отправить",), id="не отправлять"),
        pytest.param("жібермеу", ("Жіберу",), id="not to send"),
        pytest.param("жіберме", ("Жіберу",), id="do not send"),
        pytest.param("жібермеңіз", ("Жіберу",), id="do not send, politely"),
        pytest.param("өшірмеу", ("Иә, өшіру",), id="not to delete"),
        pytest.param("иә, өшірмеу", ("Иә, өшіру",), id="yes, not to delete"),
        pytest.param("не удалять", ("Да, удалить",), id="не удалять"),
        pytest.param("не да, удалить", ("Да, удалить",), id="не да"),
        pytest.param("тіркелмеу", ("Тіркелу",), id="not to register"),
        pytest.param("дұрыс емес", ("Иә, дұрыс",), id="not right"),
        pytest.param("иә, дұрыс емес", ("Иә, дұрыс",), id="yes, not right"),
        pytest.param("не верно", ("Да, верно",), id="не верно"),
        pytest.param("неверно", ("Да, верно",), id="неверно"),
    ],
)
def test_a_denial_never_means_the_thing_denied(text: str, labels: Sequence[str]) -> None:
    """ "Келіспеймін" registered a consent, "не отправить" sent the notice."""
    assert meant(text, labels) is None


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "key",
    ["consent-yes", "notice-send", "delete-yes", "summary-yes", "village-yes", "menu-register"],
)
def test_the_real_labels_with_not_before_them(language: Language, key: str) -> None:
    label = texts().say(language, T(key))
    for denied in (f"не {label}", f"не{label}", f"{label} емес", f"{label} жоқ", f"нет {label}"):
        assert meant(denied, [label]) is None
    assert meant(label.upper(), [label]) == "p1"


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("Өткізіп жіберу", "p1"),
        ("откизип жиберу", "p1"),
        ("1", "p1"),
        ("Өткізіп жібер", None),
        ("12", None),
        ("артқа", "w0"),
        ("артқаа", None),
    ],
)
def test_where_words_are_an_answer_only_an_exact_label_counts(
    text: str, payload: str | None
) -> None:
    assert meant(text, ["Өткізіп жіберу"], free_text=True) == payload


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=10), st.booleans())
def test_no_text_breaks_it(text: str, labels: list[str], free_text: bool) -> None:
    found = choose(text, offered(labels), free_text=free_text)
    assert found is None or found.payload[0] in "pw"


@given(st.lists(st.sampled_from(MENU), min_size=1, max_size=4, unique=True), st.data())
def test_every_number_and_every_label_means_its_own(labels: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(labels) - 1))
    assert meant(str(at + 1), labels) == meant(labels[at], labels) == f"p{at + 1}"


def test_yes_is_understood_where_free_text_is_asked_for_too() -> None:
    assert meant("иә", ("Да, это оно", "Нет, другое"), free_text=True) == "p1"
    assert meant("да", ("Пропустить",), free_text=True) is None
