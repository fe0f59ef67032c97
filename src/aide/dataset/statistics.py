"""Figures of a set of records: diversity, balance, repetition and drift; whole, by hop and by operation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import infer_format, read_draft
from aide.metrics import diversity
from aide.metrics.drift import DriftMeter
from aide.records import Seed, find_varying_name, read_varying

TITLES: Final = {
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "distinct_3": "distinct-3",
    "self_bleu": "Self-BLEU",
    "compression_ratio": "compression ratio",
    "near_duplicates": "near-duplicates",
    "length.mean": "tokens mean",
    "length.p5": "tokens p5",
    "length.p95": "tokens p95",
}
FEW: Final = 2  # a group of fewer texts has no diversity to speak of


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What the sampled figures are taken from: at most `bleu` texts for Self-BLEU, drawn by `seed`."""

    bleu: int = 500
    seed: int = 0


@dataclass(slots=True)
class TextCollection:
    """The texts of a set of records, and what is counted about them as they come."""

    texts: list[str] = field(default_factory=list)
    groups: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)
    positions: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    @classmethod
    def read(
        cls, lines: Iterable[RecordLine], seeds: Sequence[Seed] = (), drift: DriftMeter | None = None
    ) -> "TextCollection":
        """All lines; `drift` is fed those whose seed is among `seeds`.

        Raises:
            InputError: a line has no input or no output; it names file and line.
        """
        found = cls()
        inputs = {seed.id: seed.draft.input for seed in seeds}
        for line in lines:
            text = found._add(line)
            lineage = line.record.get("lineage")
            if drift is not None and isinstance(lineage, dict) and lineage.get("seed_id") in inputs:
                drift.add(int(lineage["hop"]), text, inputs[lineage["seed_id"]])
        return found

    def _add(self, line: RecordLine) -> str:
        draft = read_draft(line)
        text = read_varying(line.record) if find_varying_name(line.record) else draft.input
        place = len(self.texts)
        self.texts.append(text)
        if infer_format(line.record, draft).labelled:
            self.labels[draft.output] += 1
        elif draft.output in draft.choices:
            self.positions[len(draft.choices)][draft.choices.index(draft.output) + 1] += 1
        lineage = line.record.get("lineage")
        if isinstance(lineage, dict):
            kinds = {
                "hop": lineage.get("hop"),
                "operation": lineage.get("operation"),
                "persona": lineage.get("persona"),
            }
            for kind, value in kinds.items():
                if value is not None:
                    self.groups.setdefault(kind, {}).setdefault(str(value), []).append(place)
        return text

    def cut(self, size: int, seed: int) -> list[str]:
        """`size` of the texts, the same ones each time."""
        return [self.texts[place] for place in diversity.sample_places(len(self.texts), size, seed)]

    # --- figures --------------------------------------------------------------------------------------

    def figures(self, plan: SamplePlan) -> dict[str, Any]:
        """Everything about the set as a whole and about its groups."""
        return {
            "records": len(self.texts),
            **measure_collection(self.texts, plan),
            **self._balance(),
            **{
                f"by_{kind}": self._groups(kind, plan) for kind in ("hop", "operation") if kind in self.groups
            },
            **({"personas": self._personas()} if "persona" in self.groups else {}),
        }

    def _balance(self) -> dict[str, Any]:
        balance: dict[str, Any] = {}
        if self.labels:
            balance["labels"] = dict(self.labels.most_common())
            balance["label_evenness"] = round(diversity.measure_evenness(self.labels.values()), 4)
        if self.positions:
            balance["option_positions"] = {
                str(options): {str(at): counts[at] for at in range(1, options + 1)}
                for options, counts in sorted(self.positions.items())
            }
        return balance

    def _groups(self, kind: str, plan: SamplePlan) -> dict[str, Any]:
        """Each group cut to the size of the smallest: distinct-n and the like fall as a group grows."""
        groups = self.groups[kind]
        size = min(map(len, groups.values()))
        told = {}
        for name, places in sorted(groups.items(), key=lambda each: (len(each[0]), each[0])):
            kept = [self.texts[places[at]] for at in diversity.sample_places(len(places), size, plan.seed)]
            told[name] = {
                "records": len(places),
                "measured": size,
                **(measure_collection(kept, plan) if size >= FEW else {}),
            }
        return told

    def _personas(self) -> dict[str, Any]:
        """How many there are and how they are used: one has too few records to be measured by itself."""
        counts = [len(places) for places in self.groups["persona"].values()]
        return {"different": len(counts), "records": sum(counts), "most": max(counts)}


def measure_collection(texts: Sequence[str], plan: SamplePlan) -> dict[str, Any]:
    """The measures of one set, with the sample that Self-BLEU was taken from."""
    places = diversity.sample_places(len(texts), plan.bleu, plan.seed)
    found = diversity.measure_texts(texts, places if len(places) >= FEW else ())
    if "self_bleu" in found:
        found["self_bleu_sample"] = {"texts": len(places), "seed": plan.seed}
    return found


def measure_at_equal_size(ours: TextCollection, theirs: TextCollection, plan: SamplePlan) -> dict[str, Any]:
    """Both sets measured at the same size, since nearly all measures depend on it."""
    size = min(len(ours.texts), len(theirs.texts))
    return {
        "texts": size,
        "seed": plan.seed,
        "these": measure_collection(ours.cut(size, plan.seed), plan),
        "those": measure_collection(theirs.cut(size, plan.seed), plan),
    }


def tabulate(*sets: Mapping[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """The measures of sets side by side: each title with its values, `None` where a set has none."""
    told = []
    for name, title in TITLES.items():
        whole, _, part = name.partition(".")
        found = [each.get(whole) for each in sets]
        values = tuple((each or {}).get(part) for each in found) if part else tuple(found)
        if any(value is not None for value in values):
            told.append((title, values))
    return told


def make_overlap_meter(seeds: Sequence[Seed]) -> DriftMeter:
    """A meter of lexical overlap with these seeds."""
    return DriftMeter.of([seed.draft.input for seed in seeds])


__all__ = [
    "SamplePlan",
    "TextCollection",
    "make_overlap_meter",
    "measure_at_equal_size",
    "measure_collection",
    "tabulate",
]
