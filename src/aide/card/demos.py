"""D_T: a few seeds shown in each prompt, chosen to differ from the seed at hand and from each other."""

from collections.abc import Sequence

from aide.formats import Demonstration, Format
from aide.llm.usage import estimate_tokens
from aide.records import Draft, Seed
from aide.text.shingles import measure_jaccard
from aide.text.words import extract_token_set


def make_demonstration(draft: Draft, format: Format) -> Demonstration:
    """An example as prompts show it: the varying part, its answer, its evidence; never the fixed parts."""
    return Demonstration(format.show_input(draft), format.render(draft), draft.evidence)


def choose_demonstrations(
    seed: Seed, pool: Sequence[Seed], format: Format, k: int = 3, max_tokens: int = 1500
) -> tuple[Seed, ...]:
    """At most `k` seeds of the pool that together fit into `max_tokens` (estimated) as demonstrations.

    Each is as far as possible, by its words, from the seed at hand and from those chosen before it: what all of them
    share is then the task and not a topic. For fixed label sets other labels go first. The seed itself is its own
    demonstration only where it is the only one.

    The choice depends on contents alone, not on the order of the pool: a sorted seed file asks the same questions.
    """
    others = {other.id: other for other in pool if other.id != seed.id}
    chosen: list[Seed] = []
    candidates = [others[id] for id in sorted(others)] or [seed]
    nearest = {other.id: _distance(seed, other) for other in candidates}
    left = max_tokens
    while len(chosen) < k:
        candidates = [other for other in candidates if _count_tokens(other, format) <= left]
        if not candidates:
            break
        shown = {seed.draft.output, *(other.draft.output for other in chosen)} if format.labelled else set()
        best = max(candidates, key=lambda other: (other.draft.output not in shown, nearest[other.id]))
        chosen.append(best)
        candidates.remove(best)
        left -= _count_tokens(best, format)
        for other in candidates:
            nearest[other.id] = min(nearest[other.id], _distance(best, other))
    return tuple(chosen)


def _count_tokens(seed: Seed, format: Format) -> int:
    shown = make_demonstration(seed.draft, format)
    return sum(map(estimate_tokens, (shown.input, shown.answer, shown.evidence)))


def _distance(one: Seed, other: Seed) -> float:
    """1 minus the Jaccard similarity of two inputs' words."""
    mine, theirs = extract_token_set(one.draft.input), extract_token_set(other.draft.input)
    return 1 - measure_jaccard(mine, theirs) if mine or theirs else 0.0
