"""What a person decided about records: `reviews.jsonl` beside the shards of a run folder.

One decision a line: the record's `id`, a `verdict` (`accept` or `reject`), and where the text was mended the
new `input`, `output`, `choices`, `parts`, `tests` or `reasoning`. The last line about a record counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

from aide.errors import InputError

FILE: Final = "reviews.jsonl"
VERDICTS: Final = ("accept", "reject")
HINT: Final = 'such as {"id": "…", "verdict": "reject"}; a verdict is accept or reject'
CONTENT: Final = ("input", "output", "choices", "parts", "tests", "reasoning")


@dataclass(frozen=True, slots=True)
class Reviews:
    """The last decision about each record that was reviewed, by its id."""

    decided: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The reviews of a run folder; none where nobody has reviewed it.

        Raises:
            InputError: a line is no review; it names file and line.
        """
        path = folder / FILE
        decided: dict[str, Mapping[str, Any]] = {}
        try:
            whole = path.read_bytes()
        except FileNotFoundError:
            return cls()
        except OSError as fault:
            raise InputError(f"{path} can't be read: {fault.strerror}") from fault
        for number, line in enumerate(whole.split(b"\n"), 1):
            if line.strip():
                review = _review(path, number, line)
                decided[review["id"]] = review
        return cls(decided)

    def apply(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the person left it: itself if unchanged, `None` if it was rejected."""
        review = self.decided.get(str(record.get("id")))
        if review is None:
            return record
        if review["verdict"] == "reject":
            return None
        edited = {name: review[name] for name in CONTENT if review.get(name) is not None}
        return {**record, **edited} if edited else record


def _review(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        review = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise InputError(f"{path}:{number}: is not JSON ({fault.msg})") from fault
    if not isinstance(review, dict) or not isinstance(review.get("id"), str):
        raise InputError(f"{path}:{number}: is no review: it names no id", hint=HINT)
    if review.get("verdict") not in VERDICTS:
        raise InputError(
            f"{path}:{number}: has the verdict {review.get('verdict')!r}",
            hint=HINT,
        )
    return review


__all__ = ["CONTENT", "FILE", "VERDICTS", "Reviews"]
