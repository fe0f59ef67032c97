"""What a student learns from labelled data: simple classifiers trained on equal numbers a label, tried on gold.

Students are logistic regressions over embeddings and over tf-idf. They are weak on purpose: what they learn is in the
data, not in them, and they are trained in a second. Needs scikit-learn, which is imported when a student is trained.
"""

import math
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Final

from aide.vectors import Vector

if TYPE_CHECKING:
    from aide.records import Draft

INSTALL: Final = "pip install 'aide-expand[compare]'"
EMBEDDINGS: Final = "embeddings"
TF_IDF: Final = "tf-idf"

PER_LABEL: Final = (3, 9, 20)
DRAWS: Final = 10
"""Training sets that are drawn of each size, and whose accuracies are averaged."""

ERRORS: Final = 2.0
"""Standard errors from which a difference is told: chance alone makes one of twenty so large."""

_FEW: Final = 20
_ROWS_A_LABEL: Final = 2
_LONGEST_LABEL: Final = 80  # characters: what is longer is an answer, even where it recurs
# Little regularisation for dense vectors, of which each number tells little, and less for sparse words.
_C: Final = {EMBEDDINGS: 10.0, TF_IDF: 20.0}
_ITERATIONS: Final = 3000


def is_installed() -> bool:
    """True when students can be trained."""
    return find_spec("sklearn") is not None


def are_labels(drafts: Sequence["Draft"]) -> bool:
    """True when outputs are labels of a fixed set: few, short, and each given again and again."""
    outputs = Counter(draft.output.strip() for draft in drafts)
    return (
        1 < len(outputs) <= max(_FEW, len(drafts) // 10)
        and len(drafts) >= _ROWS_A_LABEL * len(outputs)
        # Where every row has the same options, these are the labels; options of a question differ from row to row.
        and len({draft.choices for draft in drafts}) == 1
        and all(len(output) <= _LONGEST_LABEL for output in outputs)
    )


@dataclass(frozen=True, slots=True)
class StudentResult:
    """How a student did that was trained on so many examples a label of one data set."""

    arm: str
    """The name of the data set."""
    student: str
    per_label: int
    """Examples of each label that were asked for."""
    smallest: int
    """Examples that the label with the fewest had, at most `per_label`."""
    correct: tuple[float, ...]
    """For each gold row the share of the draws in which the student was right."""

    @property
    def is_full(self) -> bool:
        """True when every label had as many examples as were asked for."""
        return self.smallest == self.per_label

    @property
    def accuracy(self) -> float:
        """The share of gold rows that it gets right, averaged over the draws."""
        return fmean(self.correct)

    @property
    def error(self) -> float:
        """The standard error of the accuracy over the gold rows."""
        return compute_error(self.correct)

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "data": self.arm,
            "student": self.student,
            "per_label": self.per_label,
            "smallest_label": self.smallest,
            "accuracy": round(self.accuracy, 4),
            "standard_error": round(self.error, 4),
        }


@dataclass(frozen=True, slots=True)
class StudentDifference:
    """Two results of one student held against each other, row by row of gold."""

    better: StudentResult
    worse: StudentResult
    difference: float
    """In accuracy; never negative."""
    error: float
    """Its standard error, from the differences in each gold row."""

    @property
    def is_clear(self) -> bool:
        """True when it is more than two standard errors."""
        return self.difference > ERRORS * self.error

    def as_dict(self) -> dict[str, Any]:
        """The difference as JSON values."""
        return {
            "student": self.better.student,
            "per_label": self.better.per_label,
            "better": self.better.arm,
            "worse": self.worse.arm,
            "difference": round(self.difference, 4),
            "standard_error": round(self.error, 4),
            "clear": self.is_clear,
        }


def compute_error(values: Sequence[float]) -> float:
    """The standard error of the mean of some values; 0 for fewer than two."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def compare_results(one: StudentResult, other: StudentResult) -> StudentDifference:
    """The difference of two results on the same gold rows.

    Paired: what makes a row hard is the same for both, so that differences vary far less than the two accuracies do.
    """
    better, worse = (one, other) if one.accuracy >= other.accuracy else (other, one)
    rows = [a - b for a, b in zip(better.correct, worse.correct, strict=True)]
    return StudentDifference(better, worse, fmean(rows), compute_error(rows))


def compare_all(results: Sequence[StudentResult], always: str = "") -> list[StudentDifference]:
    """All pairs of data sets by student and size.

    Where a label has too few examples for a size, a result is no fair part of a pair: it learned from less. Only the
    data set `always` is held against the others all the same (the seeds, which are what a person has to begin with).
    """
    return [
        compare_results(one, other)
        for one, other in combinations(results, 2)
        if (one.student, one.per_label) == (other.student, other.per_label)
        and all(each.is_full or each.arm == always for each in (one, other))
    ]


@dataclass(frozen=True, slots=True)
class StudentTraining:
    """What all students are tried on, and how they are trained."""

    gold: Sequence["Draft"]
    vectors: Mapping[str, Vector]
    """Of unit norm, by text; empty where there are no embeddings."""
    per_label: Sequence[int] = PER_LABEL
    draws: int = DRAWS

    def train(self, arm: str, drafts: Sequence["Draft"]) -> Iterator[StudentResult]:
        """A result for each student and size, as they come.

        Raises:
            ValueError: the data hold fewer than two labels.
        """
        labels = [draft.output.strip() for draft in drafts]
        if len(set(labels)) < 2:
            raise ValueError(f"{arm} has fewer than two labels, so nothing can be learned from it")
        rarest = min(Counter(labels).values())
        for student in (EMBEDDINGS, TF_IDF) if self.vectors else (TF_IDF,):
            said: dict[tuple[int, ...], list[str]] = {}
            for size in self.per_label:
                right = [0] * len(self.gold)
                for draw in range(self.draws):
                    places = draw_per_label(labels, size, draw)
                    # Where a label has no more than are drawn, every draw and every larger size is the same set.
                    drawn = tuple(sorted(places))
                    if drawn not in said:
                        said[drawn] = self._predict(student, drafts, labels, places)
                    for row, (label, draft) in enumerate(zip(said[drawn], self.gold, strict=True)):
                        right[row] += label == draft.output.strip()
                correct = tuple(count / self.draws for count in right)
                yield StudentResult(arm, student, size, min(size, rarest), correct)

    def _predict(
        self, student: str, drafts: Sequence["Draft"], labels: Sequence[str], places: Sequence[int]
    ) -> list[str]:
        """What a student says of each gold row that was trained on the examples at these places."""
        from sklearn.linear_model import LogisticRegression

        drafts, labels = [drafts[place] for place in places], [labels[place] for place in places]
        model = LogisticRegression(C=_C[student], max_iter=_ITERATIONS)
        if student == EMBEDDINGS:
            train, test = self._stack(drafts), self._stack(self.gold)
        else:
            features = make_word_features()
            train = features.fit_transform([draft.input for draft in drafts])
            test = features.transform([draft.input for draft in self.gold])
        with warnings.catch_warnings():
            # A student that has not quite converged has learned what it can; nobody could act on the warning.
            warnings.simplefilter("ignore")
            return [str(label) for label in model.fit(train, labels).predict(test)]

    def _stack(self, drafts: Sequence["Draft"]) -> Any:
        import numpy

        return numpy.asarray([self.vectors[draft.input] for draft in drafts], dtype=numpy.float32)


def make_word_features() -> Any:
    """tf-idf over words and their pairs, and over pieces of words of two to four letters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return FeatureUnion([("words", words), ("pieces", pieces)])


def draw_per_label(labels: Sequence[str], size: int, draw: int) -> list[int]:
    """Places of `size` examples of each label, or of all that it has; another `draw` draws others."""
    import numpy

    generator = numpy.random.default_rng(draw)
    places: list[int] = []
    for label in sorted(set(labels)):
        held = [place for place, each in enumerate(labels) if each == label]
        places += (int(place) for place in generator.choice(held, min(size, len(held)), replace=False))
    return places
