"""What a record is shown beside: its seed, its parent, and what the model said; read from the run's journal."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import orjson

from aide.completion import read_completion
from aide.errors import InputError, Unusable
from aide.formats import FORMATS
from aide.journal import Journal
from aide.records import Draft, Parts
from aide.run.folder import RunFolder
from aide.run.record_calls import RecordCalls
from aide.run.seed_pool import SEED
from aide.text.shingles import measure_jaccard
from aide.text.structure import read_structure
from aide.text.words import extract_vocabulary

_COMPARED: Final = 40
"""Seeds that a text is compared with besides its own."""
_READ: Final = 20_000
"""Characters of a text that are compared."""
_SHOWN: Final = 40_000
"""Characters of an answer that the page gets."""


class Origins:
    """Seeds, parents and calls of one run. Without a journal nothing is known, and nothing is missing.

    A run that has only begun has no journal yet: it is opened once it is there.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.journal
        self._opened: Journal | None = None
        self._seeds: dict[str, Mapping[str, Any] | None] = {}
        self._words: dict[str, frozenset[str]] = {}

    def close(self) -> None:
        """Close the journal."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _journal(self) -> Journal | None:
        if self._opened is None and self._path.exists():
            self._opened = Journal.open(self._path, readonly=True)
        return self._opened

    def seed(self, id: str) -> Mapping[str, Any] | None:
        """A seed as the journal keeps it; `None` where it is unknown."""
        if self._seeds.get(id) is None and (journal := self._journal) is not None:
            self._seeds[id] = journal.get_decision(SEED, id)
        return self._seeds.get(id)

    def measure_nearness(self, text: str, seed: str) -> float:
        """The share of words that a text has in common with the nearest seed, 0 to 1; its own is among them.

        Where no seed is known it is 1: nothing says that the text is far.
        """
        if not self._words and (journal := self._journal) is not None:
            for id, row in islice(journal.read_decisions(SEED), _COMPARED):
                self._words[id] = extract_vocabulary(str(row["input"])[:_READ])
        if seed not in self._words and (row := self.seed(seed)):
            self._words[seed] = extract_vocabulary(str(row["input"])[:_READ])
        words = extract_vocabulary(text[:_READ])
        return max((measure_jaccard(words, each) for each in self._near(seed)), default=1.0)

    def _near(self, seed: str) -> Iterator[frozenset[str]]:
        if seed in self._words:
            yield self._words[seed]
        yield from islice(self._words.values(), _COMPARED)

    def record(self, id: str) -> Mapping[str, Any] | None:
        """A record by its id, also one that was pruned or is not written; `None` where there is none."""
        journal = self._journal
        outcome = journal.get_outcome(id) if journal is not None else None
        if outcome is None or outcome.kind not in ("accepted", "surplus"):
            return None
        found: Mapping[str, Any] = orjson.loads(outcome.payload)
        return found

    def answers(self, id: str) -> list[dict[str, str]]:
        """What the model said for a record or reject, call by call; other records may share a call."""
        journal = self._journal
        if journal is None:
            return []
        calls = RecordCalls(journal, {id}).read(id)
        return [{"step": each.call.step, "text": _read_answer(each.call.body)[:_SHOWN]} for each in calls]

    def complete(
        self, reject: Mapping[str, Any], content: Mapping[str, Any], task: str, format: str
    ) -> dict[str, Any]:
        """A reject as the record that it is with this content: the fields of a draft, its input the varying part.

        Raises:
            InputError: the answer of this format is a JSON value, and the text is none; or a turn is unusable.
        """
        row = self.seed(str(reject["lineage"]["seed_id"]))
        parts = Parts.from_dict(row) if row and "frame" in row else Parts()
        known = {name: row[name] for name in ("tools", "system") if row and name in row}
        draft = Draft.from_dict({**known, **content})
        frame = {"parts": parts.texts(draft.input), "varying": parts.varying} if parts.fixed else {}
        return {
            "id": reject["id"],
            "task": task,
            "format": format,
            **draft.as_dict(),
            "input": parts.whole(draft.input),
            "output": _read_output(draft.output, format),
            **frame,
            "lineage": reject["lineage"],
            "scores": {},
            "revisions": 0,
            "model": "",
            "meta": {},
        }


def _read_output(text: str, format: str) -> Any:
    if format not in FORMATS or not FORMATS[format].structured:
        return text
    value = read_structure(text)
    if value is None:
        raise InputError("the answer is no JSON object or array", hint="as those of the other records are")
    return value


def _read_answer(body: bytes) -> str:
    try:
        return read_completion(orjson.loads(body))
    except Unusable as fault:
        return str(fault)
    except ValueError:
        return body.decode("utf-8", "replace")
