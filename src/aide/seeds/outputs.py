"""Outputs of all rows together: which lists are one answer each, and which texts are several labels.

A single row can't tell: `["Paris"]` is an answer in a list of accepted ones, or a set of one label.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from aide.seeds.shapes import RowContent, RowFields
from aide.seeds.tables import LineProblem
from aide.text.structure import read_structure, write_structure

# Names under which data sets list the answers that they accept for one question.
_ACCEPTED: Final = frozenset({
    "answers", "answer", "correct_answers", "gold", "expected", "expected_output", "solution", "target", "targets",
    "completion", "response", "reply", "reference", "references",
})  # fmt: skip
_SEPARATORS: Final = (";", "|", ",", "/", "+", "\n", "\t", "&")


@dataclass(slots=True)
class ReadRow:
    """A row that was recognised, and where it stands."""

    path: str
    line: int
    fields: RowFields
    shape: str
    content: RowContent


def settle_outputs(
    rows: list[ReadRow], labels: Sequence[str], separator: str, problems: list[LineProblem]
) -> tuple[list[ReadRow], str]:
    """The rows with outputs that all rows together make JSON, and what stands between labels of one output.

    Lists that are one answer each and labels with a separator become arrays; an empty list among texts is no output.
    """
    plain = [row for row in rows if row.content.roles.get("output")]
    if not plain:
        return rows, ""
    column = plain[0].content.roles["output"]
    values = {at: row.fields.row.get(row.content.roles["output"]) for at, row in enumerate(plain)}
    texts = [row.content.draft.output for row in plain]
    arrays, found = find_list_outputs(values, column), ""
    if not arrays and all(isinstance(value, str) for value in values.values()):
        found = find_separator(texts, labels, separator)
        arrays = {at: write_structure(split_labels(text, found)) for at, text in enumerate(texts) if found}
    for at, output in arrays.items():
        content = plain[at].content
        plain[at].content = replace(content, draft=replace(content.draft, output=output))
    if arrays or all(read_structure(text) is not None for text in texts):
        return rows, found
    empty = {id(row) for at, row in enumerate(plain) if values[at] in ([], {})}
    problems += [LineProblem(row.path, row.line, "has an empty output") for row in rows if id(row) in empty]
    return [row for row in rows if id(row) not in empty], found


def find_list_outputs(values: Mapping[int, Any], name: str) -> dict[int, str]:
    """The outputs of rows whose lists are one answer each, by row; empty where they are accepted answers or texts.

    `values` are the raw outputs of all rows, `name` the column that they stand in.
    """
    if not values or not all(isinstance(value, list) and _is_flat(value) for value in values.values()):
        return {}
    lists = [value for value in values.values() if isinstance(value, list)]
    if all(len(value) == 1 for value in lists):
        return {}
    if name.strip().casefold().replace(" ", "_") in _ACCEPTED and not _come_again(lists):
        return {}
    return {row: write_structure(value) for row, value in values.items()}


def _is_flat(value: Sequence[Any]) -> bool:
    return all(isinstance(each, str | int | float | bool) for each in value)


def _come_again(lists: Sequence[Sequence[Any]]) -> bool:
    """True when items are those of a closed set: half of all that stand there also stand in another row."""
    rows = Counter(str(item) for value in lists for item in set(map(str, value)))
    return 2 * sum(count for count in rows.values() if count > 1) >= rows.total() > 0


def find_separator(outputs: Sequence[str], labels: Sequence[str], given: str = "") -> str:
    """What stands between several labels of one output; empty where outputs hold one label each.

    Without `labels` a person has to name it.
    """
    known = set(labels)
    if given:
        return given if any(given in output for output in outputs) else ""
    if not known or all(output in known for output in outputs):
        return ""
    for separator in _SEPARATORS:
        if all(label in known for output in outputs for label in split_labels(output, separator)):
            return separator
    return ""


def split_labels(output: str, separator: str) -> list[str]:
    """The labels of one output."""
    return [label for each in output.split(separator) if (label := each.strip())]
