"""Rows inside one JSON object: under a key, as columns, by index, or nested as question-answering sets are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aide.seeds.tables import JSON_ARRAY, SeedTable

Object = dict[str, Any]


def unwrap_object(name: str, whole: Object, known: Sequence[str]) -> SeedTable | None:
    """The rows inside one object; `None` if it is a row itself. `known` are folded names of columns."""
    about = whole.get("description") or whole.get("task") or ""
    rows = _read_split(whole) or _read_by_index(whole, known) or _read_lists(whole, known)
    if rows:
        rows = list(_flatten(rows))
        return SeedTable(
            name, JSON_ARRAY, list(enumerate(rows, 1)), about=about if isinstance(about, str) else ""
        )
    splits = {key: value for key, value in whole.items() if isinstance(value, dict)}
    if len(splits) == len(whole) and splits:
        return unwrap_object(name, splits.get("train") or next(iter(splits.values())), known)
    return None


def _read_lists(whole: Object, known: Sequence[str]) -> list[Object]:
    """The longest list of objects, or all lists as columns."""
    inside = {key: value for key, value in whole.items() if isinstance(value, list) and value}
    lists = {key: rows for key, rows in inside.items() if all(isinstance(item, dict) for item in rows)}
    # A list of objects under the name of a column is a value of one row: chat turns, answers and places.
    rows: list[list[Object]] = [rows for key, rows in lists.items() if key.casefold() not in known]
    if rows:
        return sorted(rows, key=len)[-1]
    lengths = {len(value) for value in inside.values()}
    if len(inside) == len(whole) > 1 and len(lengths) == 1 and not lists:
        return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]
    return []


def _read_split(whole: Object) -> list[Object]:
    """`DataFrame.to_json(orient="split")`: names of columns and a list of lists."""
    columns, data = whole.get("columns"), whole.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or not data:
        return []
    if not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        return []
    return [dict(zip(map(str, columns), row, strict=True)) for row in data]


def _read_by_index(whole: Object, known: Sequence[str]) -> list[Object]:
    """`DataFrame.to_json` as it is by default, each column by index, or with `orient="index"`, each row by index."""
    inner = list(whole.values())
    if len(inner) < 2 or not all(isinstance(each, dict) and each for each in inner):
        return []
    keys = list(inner[0])
    if any(list(each) != keys for each in inner):
        return []
    if any(isinstance(value, dict | list) and len(value) > 1 for each in inner for value in each.values()):
        return []  # splits of a data set, each with columns or rows of its own
    if all(key.casefold() not in known for key in keys) and all(map(str.isdecimal, keys)):
        return [{column: whole[column][key] for column in whole} for key in keys]
    return inner if all(map(str.isdecimal, whole)) else []


def _flatten(rows: Sequence[Object]) -> Iterator[Object]:
    """Questions that are nested in paragraphs of articles (SQuAD) as rows of their own; other rows as they are."""
    for row in rows:
        paragraphs = row.get("paragraphs")
        if not isinstance(paragraphs, list):
            yield row
            continue
        for paragraph in paragraphs:
            questions = paragraph.get("qas") if isinstance(paragraph, Mapping) else None
            for asked in questions if isinstance(questions, list) else ():
                yield _flatten_question(row, paragraph, asked)


def _flatten_question(article: Object, paragraph: Object, asked: Object) -> Object:
    answers = [each for each in asked.get("answers") or () if isinstance(each, Mapping)]
    return {
        "id": asked.get("id"),
        "title": article.get("title"),
        "context": paragraph.get("context"),
        "question": asked.get("question"),
        "answers": {
            "text": [each.get("text") for each in answers],
            "answer_start": [each.get("answer_start") for each in answers],
        },
    }
