"""What a person decided about records: `reviews.jsonl` beside the shards of a run folder.

Each line is one decision: the record's `id`, a `verdict` (`accept` or `reject`) and, if the text was edited,
the new `input`, `output`, `choices`, `parts`, `tests` or `reasoning`. The last line about a record counts. For
an input with parts it is enough to give the whole `input` or the `parts`: the other follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

from aide.errors import InputError
from aide.records import CONTENT, find_varying_name, read_varying

FILE: Final = "reviews.jsonl"
VERDICTS: Final = ("accept", "reject")
HINT: Final = 'such as {"id": "…", "verdict": "reject"}; a verdict is accept or reject'
EDITABLE: Final[Mapping[str, type]] = {**CONTENT, "parts": dict}
"""The fields that a person may edit, with their types."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of a run folder."""

    decided: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The last decision about each record, by its id."""
    path: Path = Path(FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The reviews of a run folder; none if nobody has reviewed it.

        Raises:
            InputError: a line is no review; the message names file and line.
        """
        path = folder / FILE
        decided: dict[str, Mapping[str, Any]] = {}
        try:
            whole = path.read_bytes()
        except FileNotFoundError:
            return cls(path=path)
        except OSError as fault:
            raise InputError(f"{path} can't be read: {fault.strerror}") from fault
        for number, line in enumerate(whole.split(b"\n"), 1):
            if line.strip():
                review = _parse_review(path, number, line)
                decided[review["id"]] = review
        return cls(decided, path)

    def apply(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the person left it: itself if unchanged, `None` if it was rejected.

        Raises:
            InputError: the edited fields contradict the others; the message names the record.
        """
        review = self.decided.get(str(record.get("id")))
        if review is None:
            return record
        if review["verdict"] == "reject":
            return None
        edited = {name: review[name] for name in EDITABLE if review.get(name) is not None}
        if not edited:
            return record
        changed = {**record, **edited}
        where = f"{self.path}: the review of {record['id']}"
        if record.get("parts") and ("input" in edited) != ("parts" in edited):
            changed.update(_complete(record, changed, where))
        if changed.get("choices") and changed["output"] not in changed["choices"]:
            raise InputError(
                f"{where} leaves an output that is none of the choices", hint="give both output and choices"
            )
        return changed


def _complete(record: Mapping[str, Any], changed: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The whole input from its parts, or the varying part from the whole input: whichever was not given."""
    old: str = record["input"]
    name, varying = find_varying_name(record), read_varying(record)
    before, found, after = old.partition(varying)
    fixed = {key: text for key, text in record["parts"].items() if key != name}
    if not found or after.count(varying) or any(text not in before + after for text in fixed.values()):
        raise InputError(f"{where} changes a part of an input", hint="give both input and parts")
    if changed["parts"] != record["parts"]:
        if {key: text for key, text in changed["parts"].items() if key != name} != fixed:
            raise InputError(f"{where} changes a fixed part", hint="give both input and parts")
        return {"input": f"{before}{changed['parts'][name]}{after}"}
    new: str = changed["input"]
    if not (new.startswith(before) and new.endswith(after) and len(new) >= len(before) + len(after)):
        raise InputError(f"{where} changes a fixed part", hint="give both input and parts")
    return {"parts": {**record["parts"], name: new[len(before) : len(new) - len(after)]}}


def _parse_review(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        review = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise InputError(f"{path}:{number}: is not JSON ({fault.msg})") from fault
    if not isinstance(review, dict) or not isinstance(review.get("id"), str):
        raise InputError(f"{path}:{number}: is no review: it names no id", hint=HINT)
    if review.get("verdict") not in VERDICTS:
        raise InputError(f"{path}:{number}: has the verdict {review.get('verdict')!r}", hint=HINT)
    for name, shape in EDITABLE.items():
        value = review.get(name)
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
        if name == "output" and isinstance(value, dict | list):
            continue  # a JSON value, as the record has it
        if value is not None and not (
            isinstance(value, shape) and all(isinstance(each, str) for each in inner)
        ):
            raise InputError(
                f"{path}:{number}: has an unusable {name}", hint=f"write {name} as the record has it"
            )
    return review
