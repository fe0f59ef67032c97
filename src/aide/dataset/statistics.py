"""Figures of a set of records: diversity, balance, repetition and drift; of all, by hop and by operation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import infer_format, read_varying_draft
from aide.dataset.sampling import sample_places
from aide.metrics.distribution import DistributionMeter
from aide.metrics.diversity import measure_evenness, measure_texts
from aide.metrics.drift import DriftMeter
from aide.metrics.references import HUMAN, SEEDS
from aide.metrics.trait_shares import make_trait_counter
from aide.records import Draft, Seed
from aide.text.length import choose_unit

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

_LEAST: Final = 2
"""Texts that a group must have to be measured: a single text has no diversity."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """How the sampled figures are drawn."""

    bleu: int = 500
    """Texts that Self-BLEU is computed on, at most: its time grows with their square."""
    seed: int = 0


@dataclass(slots=True)
class TextCollection:
    """The texts of a set of records, and what is counted about them as they are read."""

    texts: list[str] = field(default_factory=list)
    groups: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Places in `texts` by hop, operation and persona."""
    labels: Counter[str] = field(default_factory=Counter)
    positions: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Positions of the correct option, from 1, by the number of options."""

    @classmethod
    def read(
        cls,
        lines: Iterable[RecordLine],
        seeds: Sequence[Seed] = (),
        drift: DriftMeter | None = None,
        distribution: DistributionMeter | None = None,
    ) -> "TextCollection":
        """All lines; `drift` is given those that grew from one of `seeds`, `distribution` all of them.

        Raises:
            InputError: a line has no input or no output; the message names file and line.
        """
        collection = cls()
        inputs = {seed.id: seed.draft.input for seed in seeds}
        for line in lines:
            draft = read_varying_draft(line)
            text = collection._add(line, draft)
            if distribution is not None:
                distribution.add(draft)
            lineage = line.record.get("lineage")
            # The lineage of a foreign record may name a seed of another run.
            if drift is not None and isinstance(lineage, dict) and lineage.get("seed_id") in inputs:
                drift.add(int(lineage["hop"]), text, inputs[lineage["seed_id"]])
        return collection

    def _add(self, line: RecordLine, draft: Draft) -> str:
        text = draft.input
        place = len(self.texts)
        self.texts.append(text)
        format = infer_format(line.record, draft)
        if format.labelled:
            self.labels.update(format.list_labels(draft))
        elif draft.output in draft.choices:
            self.positions[len(draft.choices)][draft.choices.index(draft.output) + 1] += 1
        lineage = line.record.get("lineage")
        for kind in ("hop", "operation", "persona"):
            value = lineage.get(kind) if isinstance(lineage, dict) else None
            if value is not None:
                self.groups.setdefault(kind, {}).setdefault(str(value), []).append(place)
        return text

    def sample(self, size: int, seed: int) -> list[str]:
        """`size` of the texts, the same ones each time."""
        return [self.texts[place] for place in sample_places(len(self.texts), size, seed)]

    def measure(self, plan: SamplePlan) -> dict[str, Any]:
        """All figures, of the set as a whole and of its groups."""
        grouped = [kind for kind in ("hop", "operation") if kind in self.groups]
        return {
            "records": len(self.texts),
            **measure_collection(self.texts, plan),
            **self._measure_balance(),
            **{f"by_{kind}": self._measure_groups(kind, plan) for kind in grouped},
            **({"personas": self._count_personas()} if "persona" in self.groups else {}),
        }

    def _measure_balance(self) -> dict[str, Any]:
        balance: dict[str, Any] = {}
        if self.labels:
            balance["labels"] = dict(self.labels.most_common())
            balance["label_evenness"] = round(measure_evenness(self.labels.values()), 4)
        if self.positions:
            balance["option_positions"] = {
                str(options): {str(at): counts[at] for at in range(1, options + 1)}
                for options, counts in sorted(self.positions.items())
            }
        return balance

    def _measure_groups(self, kind: str, plan: SamplePlan) -> dict[str, Any]:
        """The measures of each group, at the size of the smallest: distinct-n and others fall as a group grows."""
        groups = self.groups[kind]
        size = min(map(len, groups.values()))
        figures = {}
        # By length, then by letter, so that hop 10 follows hop 9.
        for name, places in sorted(groups.items(), key=lambda each: (len(each[0]), each[0])):
            texts = [self.texts[places[at]] for at in sample_places(len(places), size, plan.seed)]
            measures = measure_collection(texts, plan) if size >= _LEAST else {}
            figures[name] = {"records": len(places), "measured": size, **measures}
        return figures

    def _count_personas(self) -> dict[str, Any]:
        """How many personas there are and how often they are used; one has too few records to be measured."""
        counts = [len(places) for places in self.groups["persona"].values()]
        return {"different": len(counts), "records": sum(counts), "most": max(counts)}


def make_distribution_meter(
    lines: Iterable[RecordLine], seeds: Sequence[Draft], human: Sequence[RecordLine]
) -> tuple[DistributionMeter, Iterator[RecordLine]]:
    """A meter for these lines beside both references, and the lines again: the first tells their format.

    Raises:
        InputError: a line has no input or no output.
    """
    rest = iter(lines)
    first = next(rest, None)
    if first is None:
        return DistributionMeter.of({}), rest
    theirs = [read_varying_draft(line) for line in human]
    draft = read_varying_draft(first)
    unit = choose_unit([each.input for each in (*seeds, *theirs, draft)])
    count = make_trait_counter(unit, infer_format(first.record, draft))
    return DistributionMeter.of({SEEDS: seeds, HUMAN: theirs}, unit, count), chain((first,), rest)


def measure_collection(texts: Sequence[str], plan: SamplePlan) -> dict[str, Any]:
    """The measures of one set, and the sample that Self-BLEU was computed on."""
    places = sample_places(len(texts), plan.bleu, plan.seed)
    figures = measure_texts(texts, places if len(places) >= _LEAST else ())
    if "self_bleu" in figures:
        figures["self_bleu_sample"] = {"texts": len(places), "seed": plan.seed}
    return figures


def measure_at_equal_size(ours: TextCollection, theirs: TextCollection, plan: SamplePlan) -> dict[str, Any]:
    """Both sets measured at the same size, since nearly all measures depend on it."""
    size = min(len(ours.texts), len(theirs.texts))
    return {
        "texts": size,
        "seed": plan.seed,
        "these": measure_collection(ours.sample(size, plan.seed), plan),
        "those": measure_collection(theirs.sample(size, plan.seed), plan),
    }


def tabulate(*sets: Mapping[str, Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """The measures of sets side by side: each title with its values, `None` where a set has none."""
    rows = []
    for name, title in TITLES.items():
        whole, _, part = name.partition(".")
        found = [each.get(whole) for each in sets]
        values = tuple((each or {}).get(part) for each in found) if part else tuple(found)
        if any(value is not None for value in values):
            rows.append((title, values))
    return rows
