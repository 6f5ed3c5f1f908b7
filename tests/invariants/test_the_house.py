"""What holds for the source and the schema as a whole: time, texts, migrations."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from sqlalchemy import text

from bot.database import Database, MigrationsPending, engines, migrate, pending, ready
from core.languages import Language
from core.texts import LOCALES, T, texts
from models import Base

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("bot", "conversation", "handlers", "services", "rules", "documents", "models", "core")


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """All our Python files."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


# Time (invariant 9)

CLOCK = Path("core/clock.py")
ASKS = re.compile(
    r"\bdatetime\.(now|utcnow|today)\b|\bdate\.today\b|\btime\.(time|time_ns|localtime|gmtime)\(|"
    r"\bdt\.now\b|from time import"
)
ASKS_SQL = re.compile(
    r"\bnow\(\)|\bcurrent_(timestamp|date|time)\b|\b(clock|statement|transaction)_timestamp\b|"
    r"\blocaltime(stamp)?\b|'now'|'today'",
    re.IGNORECASE,
)


def test_only_the_clock_asks_for_the_time() -> None:
    """Neither Python nor SQL: migrations and constants of statements included."""
    found = []
    for path, source in sources(*PRODUCT, "migrations"):
        if path == CLOCK:
            continue
        found += [f"{path}: {hit.group()}" for hit in ASKS.finditer(source)]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                in_sql = re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE)\b", node.value)
                hit = ASKS_SQL.search(node.value)
                if hit and (in_sql or "migrations" in path.parts or len(node.value) < 30):
                    found.append(f"{path}:{node.lineno}: {hit.group()}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "func.now":
                found.append(f"{path}:{node.lineno}: func.now")
    assert found == []
    assert ASKS.search((ROOT / CLOCK).read_text()), "the search finds what it looks for"
    assert ASKS_SQL.search("UPDATE x SET at = now()")


def test_columns_have_no_time_of_their_own() -> None:
    """No server default fills a moment in."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            default = str(getattr(column.server_default, "arg", ""))
            assert not ASKS_SQL.search(default), f"{table.name}.{column.name}"
            if isinstance(column.type.python_type, type) and column.type.python_type is datetime:
                assert column.type.timezone, f"{table.name}.{column.name} has no zone"


# Texts (invariant 8)


@cache
def messages(language: str) -> dict[str, ftl.Pattern]:
    """Key → pattern of this language; a key that stands twice is an error."""
    found: dict[str, ftl.Pattern] = {}
    for path in sorted((LOCALES / language).glob("*.ftl")):
        for entry in FluentParser().parse(path.read_text(encoding="utf-8")).body:
            assert not isinstance(entry, ftl.Junk), f"{path}: {entry.content}"
            if isinstance(entry, ftl.Message):
                assert entry.id.name not in found, f"{path}: {entry.id.name} twice"
                assert entry.value is not None, f"{path}: {entry.id.name} is empty"
                found[entry.id.name] = entry.value
    return found


def nodes(pattern: ftl.BaseNode) -> Iterator[ftl.BaseNode]:
    """This node and all below it."""
    yield pattern
    for value in vars(pattern).values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ftl.BaseNode):
                yield from nodes(item)


def variables(pattern: ftl.Pattern) -> set[str]:
    return {n.id.name for n in nodes(pattern) if isinstance(n, ftl.VariableReference)}


def selectors(pattern: ftl.Pattern) -> list[ftl.SelectExpression]:
    return [n for n in nodes(pattern) if isinstance(n, ftl.SelectExpression)]


def test_every_text_has_its_twin() -> None:
    """The same keys with the same arguments in Kazakh and Russian."""
    kk, ru = messages("kk"), messages("ru")
    assert kk.keys() == ru.keys(), kk.keys() ^ ru.keys()
    for key in kk:
        assert variables(kk[key]) == variables(ru[key]), key
    for language in Language:
        assert texts().keys(language) == messages(language).keys()


def test_every_text_can_be_said() -> None:
    """With names, numbers, days and moments in its places: no error, nothing left open."""
    numbers = (0, 1, 2, 5, 11, 21, 22, 100, 1001)
    for language in Language:
        for key, pattern in messages(language).items():
            counted = {s.selector.id.name for s in selectors(pattern)
                       if isinstance(s.selector, ftl.VariableReference)}  # fmt: skip
            for number in numbers if counted else (7,):
                given = {name: number if name in counted else f"«{name}»"
                         for name in variables(pattern)}  # fmt: skip
                said = texts().say(language, T(key, **given))
                assert said.strip(), key
                assert "{" not in said, key
                assert "$" not in said, key
                assert "\u2068" not in said, key
                for name, value in given.items():
                    assert name in counted or str(value) in said or counted, (key, name)
    day, moment = date(2026, 11, 20), datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
    any_key = next(key for key, p in messages("ru").items() if variables(p) and not selectors(p))
    for language in Language:
        for value in (day, moment, 5, 2.5, T(any_key, **dict.fromkeys(
            variables(messages("ru")[any_key]), "x"))):  # fmt: skip
            given = dict.fromkeys(variables(messages(language)[any_key]), value)
            assert texts().say(language, T(any_key, **given))


def test_plurals() -> None:
    """Russian counts one, few, many (as the default); Kazakh one form or one/other."""
    allowed = {"kk": {"one", "other"}, "ru": {"one", "few", "many", "other"}}
    for language, categories in allowed.items():
        for key, pattern in messages(language).items():
            for select in selectors(pattern):
                names = {
                    variant.key.name
                    for variant in select.variants
                    if isinstance(variant.key, ftl.Identifier)
                }
                assert names <= categories, (language, key, names)
                default = next(v for v in select.variants if v.default)
                assert default.key.name == "other", (language, key)
                if language == "ru" and "few" not in names:
                    forms = {str(v.value) for v in select.variants}
                    assert "one" in names, key
                    assert forms, key


def keys_in_code() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Keys named in T("…"), Refused("…") and templates; f-strings become patterns."""
    exact: dict[str, str] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    for path, source in sources(*PRODUCT):
        if path == Path("core/texts.py"):
            continue
        for node in ast.walk(ast.parse(source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            if node.func.id not in ("T", "Refused"):
                continue
            for argument in _alternatives(node.args[0]):
                place = f"{path}:{node.lineno}"
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    exact[argument.value] = place
                elif isinstance(argument, ast.JoinedStr):
                    parts = [re.escape(v.value) if isinstance(v, ast.Constant) else "[a-z0-9-]+"
                             for v in argument.values]  # fmt: skip
                    patterns.append((re.compile("".join(parts)), place))
    return exact, patterns


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    """Both sides of a conditional expression or an `or`."""
    if isinstance(node, ast.IfExp):
        yield from _alternatives(node.body)
        yield from _alternatives(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _alternatives(value)
    else:
        yield node


def test_every_key_exists_and_none_is_idle() -> None:
    """What the code names is there; what is there, the code can name."""
    exact, patterns = keys_in_code()
    known = messages("kk").keys()
    missing = {key: place for key, place in exact.items() if key not in known}
    assert not missing
    for pattern, place in patterns:
        assert any(pattern.fullmatch(key) for key in known), (pattern.pattern, place)
    written = "\n".join(source for _, source in sources(*PRODUCT))
    idle = {
        key
        for key in known
        if key not in exact
        and not any(pattern.fullmatch(key) for pattern, _ in patterns)
        and f'"{key}"' not in written
    }
    assert not idle


def test_every_outcome_has_words() -> None:
    """The closed list of what can become of a message, in words an akim understands."""
    from core.outcomes import Outcome

    for outcome in Outcome:
        assert f"outcome-{outcome}" in messages("kk"), outcome


# Migrations


@pytest.fixture
async def bare(migrated: Database) -> AsyncIterator[Database]:
    """A database with nothing in it."""
    name = f"bare_{uuid4().hex[:8]}"

    async def outside(statement: str) -> None:
        async with migrated.work.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text(statement))

    await outside(f"CREATE DATABASE {name}")
    database = engines(migrated.url.replace("/postgres?", f"/{name}?"))
    yield database
    await database.turns.dispose()
    await database.work.dispose()
    await outside(f"DROP DATABASE {name} WITH (FORCE)")


async def differences(database: Database) -> list:
    """What the models have and the schema has not, or the other way round."""
    async with database.work.connect() as connection:

        def compare(sync) -> list:
            options = {"compare_type": True, "compare_server_default": True}
            return compare_metadata(MigrationContext.configure(sync, opts=options), Base.metadata)

        return await connection.run_sync(compare)


async def objects(database: Database) -> list[tuple]:
    """Tables, indexes, constraints, triggers, functions of ours."""
    queries = (
        "SELECT 'table', table_name, '' FROM information_schema.tables"
        " WHERE table_schema = 'public'",
        "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT 'function', proname, prosrc FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace",
    )
    found: list[tuple] = []
    async with database.work.connect() as connection:
        for query in queries:
            found += map(tuple, await connection.execute(text(query)))
    return sorted(found)


async def test_up_down_and_up_again(bare: Database) -> None:
    """The same schema, nothing left behind, the same as the models say."""
    assert await objects(bare) == []
    await migrate(bare.work)
    first = await objects(bare)
    assert await differences(bare) == []
    await migrate(bare.work, "base")
    left = [one for one in await objects(bare) if "alembic_version" not in one[1]]
    assert left == []
    await migrate(bare.work)
    assert await objects(bare) == first


OLDER = """
INSERT INTO place (code, level, kind, type_code, name_ru, name_kk, updated_at)
  VALUES ('595041100', 'settlement', 'village', '1', 'Бугровое', 'Бугровое', now());
INSERT INTO account (id, channel, sender, secrets, created_at)
  VALUES ('00000000-0000-0000-0000-000000000001', 'telegram', '1', '', now());
INSERT INTO resident (id, language, place_code, registered_at, created_at)
  SELECT gen_random_uuid(), 'kk', '595041100', now(), now() FROM generate_series(1, 3);
INSERT INTO address (id, account_id, target, created_at)
  SELECT gen_random_uuid(), id, '', now() FROM account;
INSERT INTO notice (id, author_id, author_address_id, place_code, audience, text_kk, text_ru,
                    status, recipients, unreachable, created_at)
  SELECT gen_random_uuid(), r.id, a.id, '595041100', '[]', 'т', 'т', 'finished', 1, 0, now()
  FROM address AS a, (SELECT id FROM resident LIMIT 1) AS r;
INSERT INTO message (id, notice_id, language, content, created_at)
  SELECT gen_random_uuid(), id, 'kk', '', now() FROM notice;
INSERT INTO file (id, medium, mime, name, size, sha256, content, created_at)
  VALUES (gen_random_uuid(), 'photo', 'image/png', '', 1, 'x', 'y', now());
"""
NEWER = """
UPDATE resident SET merged_into = (SELECT min(id::text)::uuid FROM resident)
  WHERE id::text = (SELECT max(id::text) FROM resident);
UPDATE notice SET status = 'paused';
INSERT INTO file (id, medium, mime, name, size, created_at)
  VALUES (gen_random_uuid(), 'photo', 'image/png', '', 0, now());
"""
COUNTED = (
    "SELECT (SELECT count(*) FROM resident), (SELECT count(*) FROM resident WHERE registered_at"
    " IS NOT NULL), (SELECT count(*) FROM message), (SELECT count(*) FROM file),"
    " (SELECT string_agg(status, ',') FROM notice)"
)


async def test_rows_survive_the_way_up_and_down(bare: Database) -> None:
    """What the older version can hold is there after the way back; what it cannot hold (a person
    joined with another, a pause, a file not fetched yet) becomes what comes nearest."""

    async def run(statements: str) -> None:
        async with bare.work.begin() as connection:
            for statement in statements.split(";\n"):
                if statement.strip():
                    await connection.execute(text(statement))

    async def counted() -> tuple:
        async with bare.work.connect() as connection:
            return tuple((await connection.execute(text(COUNTED))).one())

    await migrate(bare.work, "0001")
    await run(OLDER)
    before = await counted()
    await migrate(bare.work)
    assert await counted() == before
    async with bare.work.connect() as connection:
        revisions = await connection.scalars(text("SELECT revision FROM message"))
        assert list(revisions) == [1]
    await run(NEWER)
    await migrate(bare.work, "0001")
    assert await counted() == (3, 2, 1, 1, "sending")
    await migrate(bare.work)
    assert await differences(bare) == []


async def test_many_processes_migrate_at_once(bare: Database) -> None:
    """All succeed, it is done once; `serve` refuses before, and not after."""
    with pytest.raises(MigrationsPending):
        await ready(bare)
    others = [engines(bare.url) for _ in range(3)]
    try:
        await asyncio.gather(*(migrate(one.work) for one in (bare, *others)))
        await asyncio.gather(*(ready(one) for one in (bare, *others)))
    finally:
        for one in others:
            await one.turns.dispose()
            await one.work.dispose()
    async with bare.work.connect() as connection:
        assert not await pending(connection)
        assert await connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
