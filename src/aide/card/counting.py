"""The half of the task card that is counted: language, labels, lengths, options, endings, bounds of completions."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor
from typing import Final

from aide.errors import InputError
from aide.formats import Format, Label, TaskCard
from aide.llm.usage import estimate_tokens
from aide.records import Draft, Seed
from aide.text.language import identify_language
from aide.text.length import choose_unit, find_quantile, measure_length

# Ten seeds show only part of how long inputs of a task may be; half as much again is still the same kind of text.
_WIDENED: Final = 0.5


def count_card(
    seeds: Sequence[Seed], format: Format, labels: Sequence[Label] = (), *, task: str = ""
) -> TaskCard:
    """The card as far as counting goes; `task` is the person's sentence, if any.

    The bounds of an input are the 5th and the 95th percentile of the seeds, so that one odd seed sets none, widened by
    half. Those of completions are twice the longest input and three times the longest answer, and some: a reply that is
    cut off is paid for and lost, while tokens that are not used cost nothing.

    Raises:
        InputError: no seeds, a seed whose label is not among those given, or a fixed label set of fewer than two.
    """
    if not seeds:
        raise InputError("there are no seeds to make a task card of", hint="give about ten examples")
    drafts = [seed.draft for seed in seeds]
    inputs = [draft.input for draft in drafts]
    unit = choose_unit(inputs)
    shortest, longest = _bounds([measure_length(text, unit) for text in inputs])
    framed = next((seed.parts for seed in seeds if seed.parts.fixed), seeds[0].parts)
    language = identify_language(inputs)
    card = format.start_card(drafts, labels)
    if framed.fixed:
        card = format.adopt_parts(card, drafts, [seed.parts for seed in seeds])
    return replace(
        card,
        task=task,
        language=language.name if language else "",
        language_code=language.code if language else "",
        varying=framed.varying,
        fixed=tuple(name for name, _ in framed.fixed),
        min_words=shortest,
        max_words=longest,
        unit=unit,
        max_input_tokens=2 * max(estimate_tokens(format.show_input(draft)) for draft in drafts) + 200,
        max_answer_tokens=3 * max(map(_answer_tokens, drafts)) + 300,
    )


def _bounds(lengths: Sequence[int]) -> tuple[int, int]:
    ordered = sorted(lengths)
    low, high = find_quantile(ordered, 0.05), find_quantile(ordered, 0.95)
    return max(1, floor(low * (1 - _WIDENED))), max(2, ceil(high * (1 + _WIDENED)))


def _answer_tokens(draft: Draft) -> int:
    said = max(estimate_tokens(draft.output), estimate_tokens("\n".join(draft.choices)))
    return said + estimate_tokens(draft.reasoning) + estimate_tokens(draft.evidence)
