"""Traits drawn for new records: all of one record from one seed, so that length and form belong together."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from statistics import NormalDist, fmean, median, quantiles, stdev
from typing import Any, Final

from aide.card.traits import TRAITS, Traits, count_traits, describe_traits, find_varying
from aide.card.wording import QUESTION
from aide.formats import Format
from aide.records import Draft, Seed, rng
from aide.text.length import CHARACTERS
from aide.text.words import fold_words

# Ten seeds are ten points of a smooth distribution, so a new length lies around its seed's: in log space, with this
# standard deviation, or less where the seeds' lengths are nearer to each other.
#
# By itself that would widen the distribution, and the smoothed bootstrap with the variance kept (Silverman, Density
# Estimation, 1986, section 6.4) would make it as wide as the seeds' own. Half of the way is taken: ten seeds seldom
# show the whole tail. The figures stand in docs/design/traits.md.
_SIGMA: Final = 0.3
_SIGMA_BY_SPREAD: Final = 0.6
_WIDENED: Final = 0.5  # as the card's bounds: ten seeds show only part of how long inputs of a task may be
_WORD: Final = {CHARACTERS: 3}
_CORRECTION: Final = (0.5, 2.0)  # beyond these a writer does not follow lengths, and no correction will help
_STANDARD: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class _Model:
    """A seed and what was counted in it."""

    seed: Seed
    traits: Traits


@dataclass(frozen=True, slots=True)
class _Smoothing:
    """How new lengths lie around those of the seeds."""

    center: float
    """Mean of the logarithms of the seeds' lengths."""
    sigma: float
    pull: float
    """By how much lengths are drawn together towards the center: to somewhat wider than the seeds' own spread."""
    least: float
    most: float

    @classmethod
    def fit(cls, lengths: Sequence[int], unit: str) -> "_Smoothing":
        """Fitted to the seeds' lengths in `unit`."""
        ordered = sorted(max(1, length) for length in lengths)
        logs = [log(length) for length in ordered]
        low = high = float(ordered[0])
        sigma, pull = _SIGMA, 1.0
        if len(ordered) > 1:
            twentieths = quantiles(ordered, n=20, method="inclusive")
            low, high = twentieths[0], twentieths[-1]
            spread = stdev(logs)
            sigma = min(_SIGMA, _SIGMA_BY_SPREAD * spread)
            pull = sqrt(spread / sqrt(spread**2 + sigma**2)) if spread else 1.0
        least = max(1, low * (1 - _WIDENED), ordered[0] - _WORD.get(unit, 1))
        return cls(fmean(logs), sigma, pull, least, max(2, high * (1 + _WIDENED)))

    def move(self, length: int, distance: float) -> float:
        """A length around that of a seed, `distance` standard deviations away from it."""
        moved = log(max(1, length)) - self.center + self.sigma * distance
        return min(self.most, max(self.least, exp(self.center + self.pull * moved)))


class TraitPool:
    """The seeds of one pool as models of traits. What it draws follows from the seeds and from names alone.

    A seed with a mechanical fault (its stem stands among its options, its key is no option) is no model.
    """

    def __init__(self, seeds: Sequence[Seed], unit: str, format: Format, *, name: str = "") -> None:
        """`name` tells the pool from others: seeds that are appended later form one of their own."""
        sound = [seed for seed in seeds if not has_fault(seed.draft, format)] or list(seeds)
        self.name = name
        self._models = [_Model(seed, count_traits(seed.draft, unit, format)) for seed in sound]
        self._smoothing = _Smoothing.fit([model.traits.length for model in self._models], unit)
        self._labels: dict[str, list[Traits]] = {}
        if format.labelled:
            for model in self._models:
                self._labels.setdefault(model.seed.draft.output, []).append(model.traits)
        self._forms = {model.traits.form for model in self._models}
        self._dealt: dict[str, tuple[int, list[int], list[float]]] = {}
        self.varying: Mapping[str, str] = find_varying([model.traits for model in self._models])
        """What `describe_traits` takes: the traits in which the seeds differ."""

    def __len__(self) -> int:
        """How many seeds are models: one block of `deal`."""
        return len(self._models)

    def draw(
        self, dice: random.Random, label: str | None = None, correction: float = 1.0
    ) -> tuple[Traits, Seed]:
        """The traits of one record and the seed that they come from.

        `correction` is what the length asked for is multiplied by, where a writer is known to miss lengths to one side.
        """
        return self._vary(dice.choice(self._models), dice.gauss(0, 1), dice, label, correction)

    def deal(self, ordinal: int, label: str | None = None, correction: float = 1.0) -> tuple[Traits, Seed]:
        """As `draw`, for the record with this ordinal among those of the label: every block takes each seed once.

        So a small sample has the seeds' histogram with its tails, where independent draws would miss one seed in three.
        The lengths' distances from their seeds are dealt in the same way.
        """
        block, place = divmod(ordinal, len(self._models))
        kept = self._dealt.get(label or "")
        if kept is None or kept[0] != block:
            kept = self._dealt[label or ""] = (block, *self._shuffle_block(label or "", block))
        _, order, distances = kept
        dice = rng("traits", self.name, label or "", str(ordinal))
        return self._vary(self._models[order[place]], distances[place], dice, label, correction)

    def _shuffle_block(self, label: str, block: int) -> tuple[list[int], list[float]]:
        """The order of the seeds in one block, and how far each length is moved, in standard deviations."""
        dice, size = rng("deal", self.name, label, str(block)), len(self._models)
        order, strata = list(range(size)), list(range(size))
        dice.shuffle(order)
        dice.shuffle(strata)
        # One from each of as many equally likely stretches of the normal distribution: their mean is near zero.
        return order, [_STANDARD.inv_cdf((stratum + dice.uniform(0.01, 0.99)) / size) for stratum in strata]

    def _vary(
        self, model: _Model, distance: float, dice: random.Random, label: str | None, correction: float
    ) -> tuple[Traits, Seed]:
        """The traits of a model with another length, and where a label is wanted with a form that suits it."""
        seen = model.traits
        low, high = _CORRECTION
        length = self._smoothing.move(seen.length, distance) * min(high, max(low, correction))
        length = max(1, round(max(self._smoothing.least, length)))
        sentences = seen.sentences
        if "sentences" in self.varying:  # they stay about as long as the seed's
            sentences = max(1, round(seen.sentences * length / max(1, seen.length)))
        drawn = replace(seen, length=length, sentences=sentences)
        if drawn.is_short:
            # What a longer seed had room for, a short text would be made odd by.
            roomless = not seen.is_short and not drawn.steps
            drawn = replace(drawn, sentences=1, figures=0 if roomless else drawn.figures)
        if label is not None and label != model.seed.draft.output:
            drawn = self._suit_form(drawn, label, dice)
        return drawn, model.seed

    def _suit_form(self, drawn: Traits, label: str, dice: random.Random) -> Traits:
        """A form that suits the label: that of one of its seeds where they are of one mind, else half the time.

        The other half has no form and the writer chooses, so that a label whose only seed is a question gets its
        statements, too. Whether there is final punctuation stays as drawn: who begins in lower case mostly leaves it
        out, and taken from the label's only seed it would give the label away.
        """
        own = self._labels.get(label, [])
        forms = {traits.form for traits in own}
        settled = len(own) > 1 and len(forms) == 1 and forms != self._forms
        if own and (settled or dice.random() < 0.5):
            given = dice.choice(own)
            mark = given.punctuation or ("?" if given.form == QUESTION else ".")
            return replace(drawn, form=given.form, punctuation=mark if drawn.punctuation else "")
        return replace(drawn, form="", punctuation="." if drawn.punctuation else "")

    def describe(self, drawn: Traits) -> str:
        """The words for one line of a prompt; see `describe_traits`."""
        return describe_traits(drawn, self.varying)

    def list_rows(self) -> list[tuple[str, str]]:
        """Names and words for a table of the seeds' traits, a line each; what no seed has is left out."""
        rows = []
        for each in TRAITS:
            values = [getattr(model.traits, each.name) for model in self._models]
            if any(value != each.default for value in values):
                rows.append((each.metadata["trait"].title, _summarise(values)))
        unit = self._models[0].traits.unit
        return [(title, f"{text} {unit}" if title == "length" else text) for title, text in rows]


def has_fault(draft: Draft, format: Format) -> bool:
    """True for an example with options whose question is one of them, or whose answer is none of them."""
    if not draft.choices or format.labelled:
        return False
    stem, folded = fold_words(draft.input), [fold_words(option) for option in draft.choices]
    repeats = sum(option[: len(stem)] == stem for option in folded)
    # Options that all begin with the stem are whole sentences; a single one has swallowed it.
    return 0 < repeats < len(folded) or draft.output not in draft.choices


def _summarise(values: Sequence[Any]) -> str:
    if isinstance(values[0], bool):
        return f"{sum(map(bool, values))} of {len(values)}"
    if isinstance(values[0], int):
        least, most = min(values), max(values)
        return str(least) if least == most else f"{least} to {most}, median {median(values):g}"
    return ", ".join(f"{value or 'none'} {count}" for value, count in Counter(values).most_common())
