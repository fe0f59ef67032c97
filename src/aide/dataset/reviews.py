"""What a person decided about records: `reviews.jsonl` beside the shards of a run folder.

Each line is one decision: the record's `id`, a `verdict` and, if the text was edited, the new `input`, `output`,
`choices`, `parts`, `tests` or `reasoning`. The last line about a record counts. For an input with parts it is enough
to give the whole `input` or the `parts`: the other follows from it. `open` takes an earlier decision back. Where a
reject was accepted anyway, its line holds the whole `record`: the shards have none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

from aide.errors import InputError
from aide.records import ASSISTANT, CONTENT, Turn, find_varying_name, join_words, read_answer, read_varying

FILE: Final = "reviews.jsonl"
ACCEPT: Final = "accept"
REJECT: Final = "reject"
OPEN: Final = "open"
VERDICTS: Final = (ACCEPT, REJECT, OPEN)
HINT: Final = 'such as {"id": "…", "verdict": "reject"}; a verdict is accept, reject or open'
EDITABLE: Final[Mapping[str, type]] = {**CONTENT, "parts": dict}
"""The fields that a person may edit, with their types in most records."""


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """How many records a person has decided about, and how."""

    accepted: int
    refused: int
    edited: int
    """How many of the accepted ones have another text."""
    added: int
    """How many of the accepted ones are rejects of the run."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of a run folder."""

    decided: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The last decision about each record, by its id; none that was taken back."""
    path: Path = Path(FILE)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The reviews of a run folder; none if nobody has reviewed it.

        A last line that a crash tore off is none.

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
        *lines, last = whole.split(b"\n")
        for number, line in enumerate([*lines, last] if is_whole(last) else lines, 1):
            if line.strip():
                review = parse_review(path, number, line)
                decided.pop(review["id"], None)
                if review["verdict"] != OPEN:
                    decided[review["id"]] = review
        return cls(decided, path)

    def apply(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the person left it: itself if unchanged, `None` if it was rejected.

        An edited record has no grades: the judge has not seen this text.

        Raises:
            InputError: the edited fields contradict the others; the message names the record.
        """
        review = self.decided.get(str(record.get("id")))
        return record if review is None else apply_review(record, review, self.path)

    def read_added(self) -> Iterator[dict[str, Any]]:
        """The rejects that the person accepted anyway, as records."""
        for review in self.decided.values():
            if review["verdict"] == ACCEPT and "record" in review:
                yield dict(review["record"])

    def list_refused(self) -> list[str]:
        """The ids of what the person refused."""
        return [id for id, review in self.decided.items() if review["verdict"] == REJECT]

    def count(self) -> ReviewCounts:
        """How many decisions of each kind stand."""
        accepted = [review for review in self.decided.values() if review["verdict"] == ACCEPT]
        added = sum("record" in review for review in accepted)
        edited = sum("record" not in review and bool(list_edits(review)) for review in accepted)
        return ReviewCounts(len(accepted), len(self.decided) - len(accepted), edited, added)


def list_edits(review: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a review changes, with their new values."""
    return {name: review[name] for name in EDITABLE if review.get(name) is not None}


def apply_review(record: dict[str, Any], review: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    """A record under one decision; see `Reviews.apply`. `path` is what messages call the reviews."""
    if review["verdict"] == REJECT:
        return None
    edited = list_edits(review) if review["verdict"] == ACCEPT else {}
    if not edited:
        return record
    where = f"{path}: the review of {record['id']}"
    for name, value in edited.items():
        if record.get(name) is not None and type(value) is not type(record[name]):
            raise InputError(f"{where} has an unusable {name}", hint=f"write {name} as the record has it")
    changed = {**record, **edited}
    if record.get("turns"):
        changed.update(_follow_turns(edited, where))
    if record.get("parts") and ("input" in edited) != ("parts" in edited):
        changed.update(_complete(record, changed, where))
    if changed.get("choices") and changed["output"] not in changed["choices"]:
        raise InputError(
            f"{where} leaves an output that is none of the choices", hint="give both output and choices"
        )
    return {**changed, "scores": {}} if "scores" in record else changed


def is_whole(line: bytes) -> bool:
    """Whether a last line without its end is whole: written so by a person, not torn off by a crash."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _follow_turns(edited: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The input and the output of a chat, which say nothing but what its turns say."""
    if "turns" not in edited:
        if "input" in edited or "output" in edited:
            raise InputError(f"{where} changes a chat without its turns", hint="give the turns alone")
        return {}
    try:
        turns = [Turn.from_dict(turn) for turn in edited["turns"]]
        answer = read_answer(turns[-1])
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as fault:
        raise InputError(
            f"{where} has an unusable turn", hint="write turns as the record has them"
        ) from fault
    if turns[-1].role != ASSISTANT or not answer.strip():
        raise InputError(f"{where} leaves a chat without an answer", hint="the last turn is the assistant's")
    return {"input": join_words(turns), "output": answer}


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


def parse_review(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    """The decision in a line.

    Raises:
        InputError: there is none; the message names `path` and `number`.
    """
    where = f"{path}:{number}:"
    try:
        review = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise InputError(f"{where} is not JSON ({fault.msg})") from fault
    if not isinstance(review, dict) or not isinstance(review.get("id"), str):
        raise InputError(f"{where} is no review: it names no id", hint=HINT)
    if review.get("verdict") not in VERDICTS:
        raise InputError(f"{where} has the verdict {review.get('verdict')!r}", hint=HINT)
    for name, shape in EDITABLE.items():
        if not _is_usable(name, review.get(name), shape):
            raise InputError(f"{where} has an unusable {name}", hint=f"write {name} as the record has it")
    record = review.get("record", {"input": ""})
    if not isinstance(record, dict) or "input" not in record:
        raise InputError(f"{where} has an unusable record", hint="write the whole record, as a shard has it")
    return review


def _is_usable(name: str, value: Any, shape: type) -> bool:
    """Whether this may stand in an edited record; only an output may be any JSON value, as that of its format is."""
    if value is None or name == "output":
        return True
    if not isinstance(value, shape):
        return False
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(isinstance(each, str | dict) for each in inner)
