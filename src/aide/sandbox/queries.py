"""The program that runs an SQL query inside the sandbox, over rows that it makes from the query's schema.

`jail.py` executes it, so it uses the standard library alone. Every column gets values of its type: names and numbers
that question and query speak of among others, so that conditions find something, and ids that other tables share, so
that joins do. The same schema and words give the same rows.
"""

import hashlib
import json
import random
import re
import sqlite3

ROWS = 60
MOST = 10_000  # rows of a result that count
KEYS = 20  # ids up to this one stand in every table, so that joins find partners
_DIALECT = re.compile(
    r"\bAUTO_INCREMENT\b|\bENGINE\s*=\s*\w+|\bDEFAULT\s+CHARSET\s*=\s*\w+|\bCOMMENT\s+'[^']*'", re.IGNORECASE
)
_ENUM = re.compile(r"\bENUM\s*\(([^)]*)\)", re.IGNORECASE)
_NUMERIC = ("INT", "REAL", "NUM", "DEC", "FLOA", "DOUB", "MONEY", "BOOL", "YEAR")
_EXACT = 1e15  # beyond, floats have no digits behind the point
_DENIED = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}


def run(schema: str, words: list[str], query: str) -> str:
    """What came of the query, as JSON text: `fault` and where it stands, or a `digest` of the result and its `rows`."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.executescript(_ENUM.sub("TEXT", _DIALECT.sub("", schema)))
        tables = fill(connection, words)
    except (sqlite3.Error, sqlite3.Warning, UnicodeError) as fault:
        return json.dumps({"fault": str(fault)[:200], "in": "schema"})
    if not tables:
        return json.dumps({"fault": "it makes no table", "in": "schema"})
    connection.set_authorizer(
        lambda what, *rest: sqlite3.SQLITE_DENY if what in _DENIED else sqlite3.SQLITE_OK
    )
    try:
        cursor = connection.execute(query)
        rows = cursor.fetchmany(MOST)
        if cursor.description is None:  # it changes the tables, and so these are its result
            rows = [row for name in tables for row in connection.execute(f"SELECT * FROM {quote(name)}")]
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, OverflowError) as fault:
        return json.dumps({"fault": str(fault)[:200], "in": "query"})
    # A set of rows: without an order that was asked for, none of theirs says anything.
    lines = sorted(json.dumps([normalise(value) for value in row], ensure_ascii=True) for row in rows)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:20]
    return json.dumps({"digest": digest, "rows": len(rows)})


def normalise(value: object) -> object:
    """A value without what two ways of computing it differ by."""
    if isinstance(value, float):
        value = clear(round(value, 6)) if abs(value) < _EXACT else value
    if isinstance(value, bytes):
        return value.hex()
    return None if value is None else str(value)


def fill(connection: sqlite3.Connection, words: list[str]) -> list[str]:
    """Put rows into every table; returns the names of the tables."""
    numbers = [float(word) for word in words if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,9})?", word)]
    listed = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    tables = [name for (name,) in listed]
    for table in tables:
        columns = connection.execute(f"PRAGMA table_info({quote(table)})").fetchall()
        made = [
            make_column(table, name, kind or "", bool(key), words, numbers)
            for _, name, kind, _, _, key in columns
        ]
        names = ", ".join(quote(column[1]) for column in columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT OR IGNORE INTO {quote(table)} ({names}) VALUES ({marks})"
        for row in zip(*made):  # noqa: B905 - all have as many
            try:
                connection.execute(statement, row)
            except sqlite3.Error:  # a trigger or a check of its own: fewer rows are rows too
                continue
    return tables


def make_column(
    table: str, name: str, kind: str, key: bool, words: list[str], numbers: list[float]
) -> list[object]:
    """The values of one column, a row each."""
    dice = random.Random(f"{table}.{name}".casefold())
    folded, kind = name.casefold(), kind.upper()
    if key:
        return list(range(1, ROWS + 1))
    if folded == "id" or folded.endswith(("_id", "_key")) or name.endswith(("Id", "ID")):
        return [dice.randint(1, KEYS) for _ in range(ROWS)]
    near = [number + step for number in numbers for step in (-1, 0, 1)]
    if any(sign in kind for sign in _NUMERIC):
        usual = [float(n) for n in range(1, 31)]
        return [clear(dice.choice(near if near and dice.random() < 0.5 else usual)) for _ in range(ROWS)]
    if "DATE" in kind or "TIME" in kind or "date" in folded:
        days = [
            f"{year}-{month:02}-{day:02}"
            for year in (2019, 2021, 2023)
            for month in (1, 6, 12)
            for day in (3, 28)
        ]
        dated = [word for word in words if re.match(r"\d{4}-\d\d", word)]
        return [dice.choice(dated if dated and dice.random() < 0.3 else days) for _ in range(ROWS)]
    usual_words = [f"{name} {n}" for n in range(1, 6)] + [str(n) for n in range(1, 6)]
    spoken = [*words, *(str(clear(number)) for number in near)]
    return [dice.choice(spoken if spoken and dice.random() < 0.5 else usual_words) for _ in range(ROWS)]


def clear(number: float) -> object:
    """A whole number as such."""
    return int(number) if number == int(number) else number


def quote(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
