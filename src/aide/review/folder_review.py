"""Everything that the page asks for, as plain values: the list, a record beside its seed, a decision, the progress."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aide.dataset.reviews import ACCEPT, EDITABLE, OPEN, REJECT, apply_review, list_edits
from aide.dataset.seed_sources import load_card_of
from aide.errors import InputError
from aide.formats import FORMATS
from aide.review import catalogue
from aide.review.agreement import Agreement
from aide.review.catalogue import Catalogue, CatalogueEntry
from aide.review.decisions import DecisionLog, OvertakenError, Review
from aide.review.doubt import Doubt, DoubtScale
from aide.review.origins import Origins
from aide.review.selection import ORDERS, QueueFilter, count_facets, select
from aide.run.folder import RunFolder
from aide.run.parts import require_merged

TO_DO: Final = "to do"
REASONS: Final = (
    "wrong answer", "not a real case", "off task", "ambiguous", "gives the answer away", "too like another",
    "badly written", "private or harmful",
)  # fmt: skip
"""Why people refuse; any other words will do."""
_LONGEST_REASON: Final = 500


class FolderReview:
    """One run folder under review. Not for several threads; several may work on one folder."""

    def __init__(self, folder: RunFolder, clock: Callable[[], float]) -> None:
        """`clock` gives Unix seconds.

        Raises:
            InputError: the folder is no run's, can't be written, or its reviews can't be read.
        """
        folder.require(folder.manifest)
        require_merged(folder.path)
        self._log = DecisionLog(folder.path, clock)
        kept = self._log.path if self._log.path.exists() else folder.path
        if not os.access(kept, os.W_OK):
            raise InputError(
                f"{kept} can't be written, so no decision could be kept",
                hint="review a folder that you may write in, such as a copy of it",
            )
        self.folder = folder
        self._card = load_card_of([str(folder.path)])
        self._origins = Origins(folder)
        self._catalogue = Catalogue(folder, self._origins.measure_nearness)
        self._scale = DoubtScale(self._catalogue.entries)
        self._doubts: dict[int, Doubt] = {}

    def close(self) -> None:
        """Let go of the journal."""
        self._origins.close()

    def start(self) -> dict[str, Any]:
        """What the page needs first: names, filters with their counts, reasons; doubts are weighed anew."""
        self._follow()
        self._card = load_card_of([str(self.folder.path)])
        self._scale, self._doubts = DoubtScale(self._catalogue.entries), {}
        entries = self._catalogue.entries
        return {
            "name": self.folder.path.resolve().name,
            "facets": count_facets(entries, self._weigh),
            "seeds": {id: self._name_seed(id) for id in {entry.seed for entry in entries}},
            "orders": ORDERS,
            "reasons": REASONS,
            "labels": self._list_labels(),
            **self.changes(self._log.version),
        }

    def choose(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of the entries that the filters leave, in order, of those that there are by now.

        Raises:
            InputError: there is no such filter.
        """
        self._follow()
        numbers = select(
            self._catalogue.entries,
            QueueFilter.from_dict(wanted),
            self._weigh,
            self._state_of,
            self._catalogue.read,
        )
        return {"numbers": numbers, "entries": len(self._catalogue.entries)}

    def list_rows(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """The lines of the list for these entries."""
        return [self._make_row(self._entry(number)) for number in numbers]

    def show(self, number: int) -> dict[str, Any]:
        """An entry beside its seed and its parent, as a person has left it.

        Raises:
            InputError: there is no such entry.
        """
        entry = self._entry(number)
        line = self._read(entry)
        lineage = line["lineage"]
        current = self._log.current(entry.id)
        parent = str(lineage["parent_id"])
        above = self._origins.seed(parent) if parent == entry.seed else self._find(parent)
        named = FORMATS.get(str(line.get("format") or self._infer_task()[1]))
        return {
            **self._make_row(entry),
            "original": line,
            "record": self._edited(entry, line, current),
            "seed": self._origins.seed(entry.seed),
            "seed_id": entry.seed,
            "parent": None if parent == entry.seed else above,
            "parent_id": parent,
            "edits": list_edits(current) if current else {},
            "labels": self._list_labels() if named and named.labelled else [],
            "several": bool(named and named.labelled and named.structured),
            "chat": bool(named and named.chats),
            "code": bool(named and named.runs_tests),
        }

    def answers(self, number: int) -> list[dict[str, str]]:
        """What the model said for an entry, call by call."""
        return self._origins.answers(self._entry(number).id)

    def decide(
        self,
        number: int,
        verdict: str,
        seen: int,
        reason: str = "",
        edits: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Keep a decision about an entry, of whose decisions the person has `seen` so many.

        `edits` are the fields with another text than the run gave them; `None` keeps the edits that stand.

        Raises:
            InputError: the edits don't fit the record, or a reject lacks an answer.
            OvertakenError: it was decided elsewhere meanwhile.
            AideError: nothing could be kept.
        """
        entry = self._entry(number)
        review: dict[str, Any] = {"id": entry.id, "verdict": verdict}
        if verdict == REJECT and reason:
            review["reason"] = reason[:_LONGEST_REASON]
        elif verdict == ACCEPT:
            review |= self._make_edits(entry, edits)
        self._log.append(review, seen)
        return self._tell([entry.id])

    def take_back(self, number: int, seen: int, keep: int) -> dict[str, Any]:
        """Undo: what stood after the first `keep` decisions about an entry stands again. All lines stay."""
        entry = self._entry(number)
        past = self._log.history(entry.id)
        if not 0 <= keep <= len(past):
            raise InputError("there is no such decision to go back to")
        before = dict(past[keep - 1]) if keep else {"id": entry.id, "verdict": OPEN}
        before.pop("at", None)
        self._log.append(before, seen)
        return self._tell([entry.id])

    def changes(self, version: int) -> dict[str, Any]:
        """What was decided since a version of the log, by whomever; also how many entries there are by now."""
        self._follow()
        return self._tell(self._log.list_since(version))

    # --- within ---------------------------------------------------------------------------------

    def _tell(self, ids: Sequence[str]) -> dict[str, Any]:
        numbers = [number for id in ids if (number := self._catalogue.numbers.get(id)) is not None]
        agreement = Agreement()
        left = total = 0
        for entry in self._catalogue.entries:
            if not entry.gone:
                state = self._state_of(entry)
                agreement.note(entry, state)
                total += entry.kind == catalogue.RECORD
                left += entry.kind == catalogue.RECORD and state == TO_DO
        return {
            "version": self._log.version,
            "changed": self.list_rows(numbers),
            "entries": len(self._catalogue.entries),
            "records": total,
            "left": left,
            "agreement": agreement.as_dict(),
        }

    def _follow(self) -> None:
        self._log.follow()
        before = len(self._catalogue.entries)
        self._catalogue.follow()
        if len(self._catalogue.entries) != before:
            self._doubts = {number: each for number, each in self._doubts.items() if number < before}

    def _weigh(self, entry: CatalogueEntry) -> Doubt:
        if entry.number not in self._doubts:
            self._doubts[entry.number] = self._scale.weigh(entry)
        return self._doubts[entry.number]

    def _entry(self, number: int) -> CatalogueEntry:
        if not 0 <= number < len(self._catalogue.entries):
            raise InputError(f"there is no entry {number}")
        return self._catalogue.entries[number]

    def _read(self, entry: CatalogueEntry) -> dict[str, Any]:
        line = self._catalogue.read(entry)
        if not line:
            self._catalogue.follow()  # a prune has replaced its file
            line = self._catalogue.read(self._catalogue.entries[entry.number])
        if not line:
            raise InputError(f"{entry.id} is no longer in the folder", hint="reload the page")
        return line

    def _find(self, id: str) -> Mapping[str, Any] | None:
        number = self._catalogue.numbers.get(id)
        line = self._catalogue.read(self._catalogue.entries[number]) if number is not None else None
        return line or self._origins.record(id)

    def _state_of(self, entry: CatalogueEntry) -> str:
        review = self._log.current(entry.id)
        if review is None:
            return TO_DO
        if review["verdict"] == REJECT:
            return "refused"
        return "edited" if list_edits(review) else "accepted"

    def _make_row(self, entry: CatalogueEntry) -> dict[str, Any]:
        review = self._log.current(entry.id)
        return {
            "n": entry.number,
            "id": entry.id,
            "kind": entry.kind,
            "text": entry.text,
            "label": ", ".join(entry.labels),
            "hop": entry.hop,
            "operation": entry.operation,
            "persona": entry.persona,
            "scores": entry.scores,
            "nearness": round(entry.nearness, 3),
            "doubts": self._weigh(entry).reasons,
            "gone": entry.gone,
            "state": self._state_of(entry),
            "reason": str(review.get("reason") or "") if review else "",
            "seen": len(self._log.history(entry.id)),
        }

    def _edited(
        self, entry: CatalogueEntry, line: dict[str, Any], review: Review | None
    ) -> Mapping[str, Any]:
        if review is None or review["verdict"] == REJECT:
            return line
        if entry.kind == catalogue.REJECT:
            found: Mapping[str, Any] = review.get("record", line)
            return found
        return apply_review(line, review, self._log.path) or line

    def _make_edits(self, entry: CatalogueEntry, edits: Mapping[str, Any] | None) -> dict[str, Any]:
        """The fields that an accepting decision has beside the id, checked against the record."""
        current = self._log.current(entry.id)
        if edits is None:
            kept = current if current is not None and current["verdict"] == ACCEPT else {}
            if entry.kind == catalogue.RECORD:
                return list_edits(kept)
            if "record" in kept:
                return {"record": kept["record"]}
        line = self._read(entry)
        if entry.kind == catalogue.REJECT:
            return {"record": self._complete(line, edits or {})}
        if unknown := set(edits or {}) - set(EDITABLE):
            raise InputError(f"{min(unknown)!r} can't be edited")
        changed = {name: value for name, value in (edits or {}).items() if value != line.get(name)}
        review = {"id": entry.id, "verdict": ACCEPT, **changed}
        edited = apply_review(line, review, self._log.path) or line
        if not str(edited["input"]).strip() or (line["output"] != "" and edited["output"] == ""):
            raise InputError("the input or the answer would be empty")
        return changed

    def _complete(self, line: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
        """A reject as a record: its text is known, the answer is what the person wrote."""
        task, format = self._infer_task()
        content = {"input": line.get("input") or "", "output": "", **edits}
        if "turns" in edits:
            whole = {"id": line["id"], "input": "", "output": "", "turns": edits["turns"]}
            review = {"verdict": ACCEPT, "turns": edits["turns"]}
            content |= apply_review(whole, review, self._log.path) or {}
        choices = content.get("choices")
        if not str(content["input"]).strip() or not str(content["output"]).strip():
            raise InputError("a reject has no answer that was kept: write one, then accept it")
        if choices and content["output"] not in choices:
            raise InputError("the answer is none of the choices")
        return self._origins.complete(line, content, task, format)

    def _infer_task(self) -> tuple[str, str]:
        """The name and the format of the task, which a reject does not name."""
        entries = self._catalogue.entries
        first = next((entry for entry in entries if entry.kind == catalogue.RECORD and not entry.gone), None)
        known = self._catalogue.read(first) if first else {}
        format = self._card.format if self._card else str(known.get("format") or "free_text")
        return str(known.get("task") or ""), format

    def _list_labels(self) -> list[str]:
        if self._card and self._card.labels:
            return list(self._card.label_names)
        return sorted({label for entry in self._catalogue.entries for label in entry.labels})

    def _name_seed(self, id: str) -> str:
        seed = self._origins.seed(id) or {}
        text = " ".join(str(seed.get("input", ""))[:200].split())[:60]
        return ": ".join(filter(None, (str(seed.get("name") or ""), text))) or id


__all__ = ["FolderReview", "OvertakenError"]
