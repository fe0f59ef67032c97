"""Several data sets side by side, held against gold or, without it, against the seeds: which teaches better?

Everything that a sample is drawn for is the mean over the same draws, 0 and on, so that two data sets differ by what is
in them and not by luck.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from aide.dataset import students
from aide.dataset.columns import NamedColumns
from aide.dataset.lines import STDIN, read_lines
from aide.dataset.record_content import read_varying_draft
from aide.dataset.sampling import sample_places
from aide.dataset.students import StudentDifference, StudentResult, StudentTraining
from aide.errors import InputError
from aide.metrics.diversity import measure_self_bleu, score_plain_bleu
from aide.metrics.lengths import LengthFigures, measure_emd
from aide.metrics.similarity import CoverageComparison, measure_coverage
from aide.records import Draft
from aide.text.length import CHARACTERS, choose_unit, measure_length
from aide.text.words import fold_words
from aide.vectors import Vector

SEEDS: Final = "seeds"
GOLD: Final = "gold"

_OWN: Final = NamedColumns()

_BLEU_TEXTS: Final = 100
"""Texts that Self-BLEU is taken of, at most: it rises with their number."""

_BLEU_LEAST: Final = 20
"""A smaller set has no Self-BLEU, so that ten seeds do not make all others be measured at ten."""


@dataclass(frozen=True, slots=True)
class ComparedData:
    """One of the data sets that are compared."""

    name: str
    drafts: tuple[Draft, ...]
    """Of each input only what varies."""

    @property
    def texts(self) -> list[str]:
        """The inputs."""
        return [draft.input for draft in self.drafts]


@dataclass(frozen=True, slots=True)
class DataFigures:
    """What one data set is like."""

    name: str
    size: int
    length: LengthFigures
    emd: float | None
    """How far its lengths are from the reference's, in words or characters; `None` for the reference itself."""
    coverage: CoverageComparison | None
    """`None` without embeddings or reference."""
    self_bleu: float | None
    """At the size of the smallest set; `None` for sets too small to be measured."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        covered = self.coverage
        return {
            "data": self.name,
            "n": self.size,
            "length": self.length.as_dict(),
            "emd": None if self.emd is None else round(self.emd, 3),
            "cover": round(covered.cover.mean, 4) if covered else None,
            "like": round(covered.like.mean, 4) if covered else None,
            "self_bleu": None if self.self_bleu is None else round(self.self_bleu, 4),
        }


@dataclass(slots=True)
class DataComparison:
    """The table, what students learned, and what follows."""

    reference: str
    """`gold`, `seeds`, or empty where there is neither."""
    unit: str
    figures: list[DataFigures]
    results: list[StudentResult] = field(default_factory=list)
    differences: list[StudentDifference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be told, and why."""

    @property
    def verdicts(self) -> list[str]:
        """A sentence for each pair: by how much more is learned from one, where that is more than chance."""
        pairs: dict[frozenset[str], list[StudentDifference]] = {}
        for each in self.differences:
            pairs.setdefault(frozenset((each.better.arm, each.worse.arm)), []).append(each)
        return [sentence for found in pairs.values() for sentence in _tell_pair(found)]

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "reference": self.reference or None,
            "unit": self.unit,
            "data": [each.as_dict() for each in self.figures],
            "students": [each.as_dict() for each in self.results],
            "differences": [each.as_dict() for each in self.differences],
            "verdicts": self.verdicts,
            "notes": self.notes,
        }


def _tell_pair(found: Sequence[StudentDifference]) -> Iterator[str]:
    """The differences of a pair that are more than two standard errors; both may be ahead somewhere."""
    told: dict[tuple[str, str], dict[str, list[StudentDifference]]] = {}
    for each in found:
        if each.is_clear:
            ways = told.setdefault((each.better.arm, each.worse.arm), {})
            ways.setdefault(each.better.student, []).append(each)
    if not told:
        one, other = sorted((found[0].better.arm, found[0].worse.arm))
        yield f"{one} and {other}: no difference of more than two standard errors"
    for (better, worse), ways in told.items():
        by_student = (
            f"by {student} {', '.join(map(_tell_difference, each))} a label" for student, each in ways.items()
        )
        yield f"more is learned from {better} than from {worse}: {'; '.join(by_student)}"


def _tell_difference(found: StudentDifference) -> str:
    better, worse = found.better.smallest, found.worse.smallest
    size = f"{better}" if better == worse else f"{better} against {worse}"
    return f"{found.difference:.3f} ± {found.error:.3f} at {size}"


def read_data(source: str, columns: NamedColumns = _OWN) -> ComparedData:
    """The data behind `FILE`, a run folder or `NAME=FILE`; unnamed ones are called by their stem.

    `columns` hold input and output where the file has names of its own.

    Raises:
        InputError: it can't be read, or holds nothing.
    """
    name, equals, path = source.partition("=")
    if not equals or source == STDIN or Path(source).exists():
        name, path = "stdin" if source == STDIN else Path(source).name.split(".")[0] or source, source
    drafts = tuple(map(read_varying_draft, columns.rename(read_lines([path]))))
    if not drafts:
        raise InputError(f"{path} holds no records", hint="name files of JSON lines or run folders")
    return ComparedData(name, drafts)


def name_apart(found: Iterable[ComparedData]) -> list[ComparedData]:
    """The same data with a number behind each name that an earlier one has."""
    times: Counter[str] = Counter()
    named = []
    for each in found:
        times[each.name] += 1
        number = times[each.name]
        named.append(ComparedData(f"{each.name}-{number}", each.drafts) if number > 1 else each)
    return named


def compare_data(
    compared: Sequence[ComparedData],
    reference: ComparedData | None,
    vectors: Mapping[str, Vector],
    *,
    draws: int = students.DRAWS,
) -> DataComparison:
    """The figures of all data sets, the reference first; students are trained by `train_students`.

    `vectors` are of unit norm, by text; empty without embeddings.
    """
    unit = choose_unit((reference or compared[0]).texts)
    sets = [reference, *compared] if reference else list(compared)
    lengths = [sorted(measure_length(text, unit) for text in each.texts) for each in sets]
    size = _choose_bleu_size([len(each.drafts) for each in sets])
    figures = [
        DataFigures(
            each.name,
            len(each.drafts),
            LengthFigures.of(own),
            measure_emd(own, lengths[0]) if reference and each is not reference else None,
            compute_coverage(each.texts, reference.texts, vectors) if reference and vectors else None,
            measure_sampled_bleu(each.texts, size, unit, draws) if len(each.drafts) >= size else None,
        )
        for each, own in zip(sets, lengths, strict=True)
    ]
    return DataComparison(reference.name if reference else "", unit, figures)


def _choose_bleu_size(sizes: Sequence[int]) -> int:
    enough = [size for size in sizes if size >= _BLEU_LEAST]
    return min(_BLEU_TEXTS, min(enough or sizes))


def measure_sampled_bleu(texts: Sequence[str], size: int, unit: str, draws: int) -> float:
    """Self-BLEU of `size` of the texts, the mean over some draws: with one it varies by 0.02 for a hundred texts.

    Words are those between spaces, in lower case, or characters where that is the unit.
    """
    words = [list(text.lower()) if unit == CHARACTERS else text.lower().split() for text in texts]
    if len(words) <= size:
        return measure_self_bleu(words, score_plain_bleu)
    return fmean(
        measure_self_bleu([words[place] for place in draw_places(len(words), size, draw)], score_plain_bleu)
        for draw in range(draws)
    )


def draw_places(count: int, size: int, draw: int) -> Sequence[int]:
    """`size` of `count` places by numpy's generator, as students draw theirs; without numpy by Python's."""
    if find_spec("numpy") is None:
        return sample_places(count, size, draw)
    import numpy

    return [int(place) for place in numpy.random.default_rng(draw).choice(count, size, replace=False)]


def compute_coverage(
    texts: Sequence[str], reference: Sequence[str], vectors: Mapping[str, Vector]
) -> CoverageComparison:
    """Cover and like; the reference beside itself, each text without itself, where `texts` are the reference."""
    mine, theirs = ([vectors[text] for text in each] for each in (texts, reference))
    if find_spec("numpy") is None:
        found = measure_coverage(mine, theirs)
    else:
        import numpy

        one, other = numpy.asarray(mine), numpy.asarray(theirs)
        cosines, own = one @ other.T, other @ other.T
        numpy.fill_diagonal(own, -math.inf)
        among = own.max(1).tolist() if len(theirs) > 1 else []
        found = CoverageComparison.of(cosines.max(0).tolist(), cosines.max(1).tolist(), among)
    same = list(texts) == list(reference)
    return CoverageComparison(found.among, found.among, found.among) if same else found


def count_copies(data: ComparedData, gold: ComparedData) -> int:
    """Records whose text stands in the gold, but for case and punctuation: a student has seen the answer to these."""
    known = {tuple(fold_words(text)) for text in gold.texts}
    return sum(tuple(fold_words(text)) in known for text in data.texts)


def train_students(
    compared: Sequence[ComparedData], training: StudentTraining
) -> Iterator[StudentResult | str]:
    """A result for each data set, student and size, as they come; a sentence for data that teach nothing."""
    labels = {draft.output.strip() for draft in training.gold}
    for each in compared:
        missing = sorted(labels - {draft.output.strip() for draft in each.drafts})
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield f"{each.name} has no records of {missing[0]!r}{more}: a student can't learn what it never saw"
        try:
            yield from training.train(each.name, each.drafts)
        except ValueError as fault:
            yield str(fault)
