"""Rows of text to SQL: which column is the question, which the query, which the schema that both are about."""

import re
from typing import TYPE_CHECKING, Final

from aide.records import Parts, make_frame
from aide.text.programming import is_sql

if TYPE_CHECKING:
    from aide.seeds.shapes import RowFields

_QUESTIONS: Final = (
    "question",
    "sql_prompt",
    "nl_question",
    "utterance",
    "instruction",
    "prompt",
    "text",
    "input",
)
_ANSWERS: Final = ("answer", "output", "response", "completion")
_QUERIES: Final = ("query", "sql", "sql_query", "gold_query", "gold_sql", *_ANSWERS)
_SCHEMAS: Final = (
    "schema", "sql_context", "context", "create_table", "create_table_statement", "create_tables", "ddl", "db_schema",
    "database_schema", "table_schema", "input",
)  # fmt: skip
_DATABASES: Final = ("db_id", "database", "database_id", "db_name")
SQL_COLUMNS: Final = (*_QUESTIONS, *_QUERIES, *_SCHEMAS, *_DATABASES)
_TABLE: Final = re.compile(r"\bCREATE\s+(?:TEMP(?:ORARY)?\s+)?TABLE\b[^(]{1,200}\(", re.IGNORECASE)


def find_sql_columns(fields: "RowFields") -> tuple[str, str, tuple[str, ...]]:
    """The columns of question and query, and those of what both are about; empty where a row is not of this kind.

    An input beside an instruction is a schema only where it makes tables.
    """
    question = fields.find(_QUESTIONS)
    query = next((name for name in _list_texts(fields, _QUERIES, question) if is_sql(fields.row[name])), "")
    schema = fields.find(_SCHEMAS, question, query)
    if schema and (not isinstance(fields.row[schema], str) or not _is_schema(schema, fields.row[schema])):
        schema = ""
    database = fields.find(_DATABASES, question, query)
    about = tuple(filter(None, (database, schema)))
    told = about or query.strip().casefold() not in _ANSWERS
    return (question, query, about) if question and query and told else ("", "", ())


def _is_schema(column: str, text: str) -> bool:
    return bool(text.strip()) and (column.strip().casefold() != "input" or bool(_TABLE.search(text)))


def _list_texts(fields: "RowFields", names: tuple[str, ...], but: str) -> list[str]:
    found = (fields.names[name] for name in names if name in fields.names)
    return [name for name in found if name != but and isinstance(fields.row[name], str)]


def split_schema(text: str, varying: str) -> tuple[str, Parts] | None:
    """The question and the parts of an input with a schema in it; none where it has none, or nothing else."""
    first = _TABLE.search(text)
    if first is None:
        return None
    end = 0
    for table in _TABLE.finditer(text):
        end = max(end, _find_end(text, table.end()))
    span = (first.start(), end)
    sides = [(0, span[0]), (span[1], len(text))]
    asked = max(sides, key=lambda side: (text[side[0] : side[1]].rstrip().endswith("?"), side[1] - side[0]))
    words = text[asked[0] : asked[1]]
    if not any(letter.isalpha() for letter in words) or varying == "schema":
        return None
    start = asked[0] + len(words) - len(words.lstrip())
    place = (start, start + len(words.strip()))
    spans = sorted([(span, "schema"), (place, varying)])
    parts = Parts((("schema", text[span[0] : span[1]]),), varying, make_frame(text, spans))
    return words.strip(), parts


def _find_end(text: str, place: int) -> int:
    """The end of a statement whose opening bracket stands before `place`: its closing one and a semicolon behind."""
    depth = 1
    while place < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        place += 1
    return place + (text[place : place + 1] == ";")
