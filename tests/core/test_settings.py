"""Settings: what is missing or wrong stops the start with one clear line each."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.settings import Settings, SettingsWrong, check_to_serve, demo_secret, load

TOKEN = "4242:AAtest-token-of-the-telegram-bot"
SID = "AC" + "1" * 32
SECRET = "s" * 32
TELEGRAM = {"SECRET_KEY": SECRET, "TELEGRAM_TOKEN": TOKEN}
WHATSAPP = {
    "SECRET_KEY": SECRET,
    "TWILIO_ACCOUNT_SID": SID,
    "TWILIO_AUTH_TOKEN": "auth",
    "TWILIO_WHATSAPP_FROM": "whatsapp:+77001112233",
    "PUBLIC_URL": "https://zhiyn.example.kz",
}
WEBHOOK = {
    **TELEGRAM,
    "TELEGRAM_MODE": "webhook",
    "TELEGRAM_WEBHOOK_SECRET": "abc_DEF-1",
    "PUBLIC_URL": "https://zhiyn.example.kz",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No variable and no .env of the machine."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def refused(bare: pytest.MonkeyPatch, environment: Mapping[str, str]) -> list[str]:
    for name, value in environment.items():
        bare.setenv(name, value)
    with pytest.raises(SettingsWrong) as wrong:
        check_to_serve(load())
    return wrong.value.lines


def without(environment: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key != name}


@pytest.mark.parametrize("environment", [TELEGRAM, WHATSAPP, WEBHOOK, TELEGRAM | WHATSAPP])
def test_enough_to_run(bare: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        bare.setenv(name, value)
    settings = load()
    check_to_serve(settings)
    assert settings.has_telegram == ("TELEGRAM_TOKEN" in environment)
    assert settings.has_whatsapp == ("TWILIO_ACCOUNT_SID" in environment)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        (TELEGRAM, "SECRET_KEY"),
        (WHATSAPP, "SECRET_KEY"),
        (WHATSAPP, "TWILIO_AUTH_TOKEN"),
        (WHATSAPP, "TWILIO_WHATSAPP_FROM"),
        (WHATSAPP, "PUBLIC_URL"),
        (WEBHOOK, "TELEGRAM_WEBHOOK_SECRET"),
        (WEBHOOK, "PUBLIC_URL"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_each_missing_one_is_named(
    bare: pytest.MonkeyPatch, environment: dict[str, str], name: str, how: str
) -> None:
    given = without(environment, name) | ({name: ""} if how == "empty" else {})
    [line] = refused(bare, given)
    assert line.startswith(f"{name}: missing")
    assert "\n" not in line


def test_no_messenger_at_all(bare: pytest.MonkeyPatch) -> None:
    [line] = refused(bare, {"SECRET_KEY": SECRET})
    assert "TELEGRAM_TOKEN" in line
    assert "TWILIO_ACCOUNT_SID" in line


def test_all_that_is_missing_is_said_at_once(bare: pytest.MonkeyPatch) -> None:
    lines = refused(bare, {"TWILIO_ACCOUNT_SID": SID})
    names = [line.partition(":")[0] for line in lines]
    assert names == ["SECRET_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_FROM", "PUBLIC_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "q" * 31),
        ("TELEGRAM_TOKEN", "no-number:AAtest-token-of-the-telegram-bot"),
        ("TELEGRAM_TOKEN", "4242:short"),
        ("TELEGRAM_TOKEN", f"bot{TOKEN}"),
        ("TELEGRAM_TOKEN", f"{TOKEN} # my bot"),
        ("TELEGRAM_MODE", "push"),
        ("TELEGRAM_WEBHOOK_SECRET", "with space"),
        ("TELEGRAM_WEBHOOK_SECRET", "x" * 257),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_ACCOUNT_SID", "SK" + "1" * 32),
        ("TWILIO_WHATSAPP_FROM", "+77001112233"),
        ("TWILIO_WHATSAPP_FROM", "whatsapp:77001112233"),
        ("TWILIO_API_URL", "ftp://twilio"),
        ("PUBLIC_URL", "zhiyn.example.kz"),
        ("PUBLIC_URL", "https://"),
        ("DATABASE_URL", "mysql://localhost/zhiyn"),
        ("DATABASE_URL", "localhost/zhiyn"),
        ("TIMEZONE", "Asia/Astana-City"),
        ("TIMEZONE", "../etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "http"),
    ],
)
def test_each_wrong_one_is_named_and_not_shown(
    bare: pytest.MonkeyPatch, name: str, value: str
) -> None:
    [line] = refused(bare, {**TELEGRAM, **WHATSAPP, name: value})
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    if name in ("SECRET_KEY", "TELEGRAM_TOKEN"):
        assert value not in line


def test_several_wrong_ones_are_a_line_each(bare: pytest.MonkeyPatch) -> None:
    lines = refused(bare, {**TELEGRAM, "PORT": "x", "LOG_LEVEL": "x", "TIMEZONE": "x"})
    assert sorted(line.partition(":")[0] for line in lines) == ["LOG_LEVEL", "PORT", "TIMEZONE"]


def test_an_empty_variable_counts_as_not_set(bare: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "TELEGRAM_TOKEN", "TIMEZONE", "DATABASE_URL", "LOG_LEVEL", "PUBLIC_URL"):
        bare.setenv(name, "")
    settings = load()
    assert (settings.port, settings.timezone, settings.log_level) == (8080, "Asia/Almaty", "INFO")
    assert settings.telegram_token is settings.database_url is settings.public_url is None


def test_dot_env_is_read_and_the_environment_wins(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"PORT=9000\nTELEGRAM_TOKEN={TOKEN}\nUNKNOWN=1\n")
    assert (load().port, load().telegram_token) == (9000, TOKEN)
    bare.setenv("PORT", "9001")
    assert load().port == 9001


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_address_of_a_database_is_for_our_driver(
    bare: pytest.MonkeyPatch, scheme: str
) -> None:
    bare.setenv("DATABASE_URL", f"{scheme}://zhiyn:pw@db/zhiyn")
    assert load().database_url == "postgresql+asyncpg://zhiyn:pw@db/zhiyn"


def test_addresses_lose_their_last_slash(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PUBLIC_URL", "https://zhiyn.example.kz/")
    assert load().public_url == "https://zhiyn.example.kz"


def test_secrets_are_not_shown(bare: pytest.MonkeyPatch) -> None:
    for name, value in {**WEBHOOK, **WHATSAPP, "TWILIO_AUTH_TOKEN": "twilio-auth"}.items():
        bare.setenv(name, value)
    shown = repr(load())
    assert all(s not in shown for s in (SECRET, TOKEN, "twilio-auth", "abc_DEF-1"))


def test_the_demo_secret_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    made = demo_secret(folder)
    assert len(made) == 64
    assert demo_secret(folder) == made
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600
