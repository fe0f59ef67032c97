"""Steps that recipes share: the checks of a new input, its answer, the judge's verdict, the record."""

from dataclasses import replace
from typing import Any, Final

from aide.errors import Rejection
from aide.judging.verdict import apply_thresholds
from aide.recipes.base import Candidate, RecipeContext
from aide.records import DOCUMENT, PLAIN, Ask, Correction, Draft, Hop, Lineage, Reading, Record, Verdict
from aide.verify.answers import CheckedAnswer

KNOWLEDGE: Final = "knowledge"
"""Where a record's `meta` names the passages that were shown."""
NOT_NEEDED: Final = "not_needed"
"""The reason of a candidate that came too late for the target: it says nothing against the candidate."""


async def check_input(context: RecipeContext, hop: Hop, draft: Draft, *, grown: bool = False) -> None:
    """What code can check before anything more is paid for: form, traits, language, leftovers, copies, duplicates.

    A text that is `grown` holds its parent and more: it is neither too long nor a copy for that.

    Raises:
        errors.Rejection: step `synthesize`.
    """
    text, seed, parent = draft.input, hop.seed.draft.input, hop.parent.draft.input
    if fault := context.gate.check(
        text, seed=seed, parent=parent, traits=hop.traits, fixed=hop.parent.parts.fixed_text, grown=grown
    ) or context.gate.check_turns(draft):
        raise Rejection("synthesize", fault.reason, fault.detail)
    deduplicator = context.deduplicator
    repeated = deduplicator.check_wording(hop.id, text)
    if not repeated:
        # People say the same thing in other words: of plain texts that is no fault.
        repeated = await deduplicator.check_meaning(hop.id, text, lenient=hop.operation == PLAIN)
    if repeated:
        raise Rejection("synthesize", "duplicate", repeated)
    if not context.wants(hop):
        raise Rejection("synthesize", NOT_NEEDED, "the target was met while it was written")


async def answer(
    context: RecipeContext, hop: Hop, draft: Draft, ask: Ask, correction: Correction | None = None
) -> CheckedAnswer:
    """Step 5: the output for the new input, by format, checked by code and, where they were asked for, further answers.

    For fixed label sets the hop has brought the label, which the judge has to find blindly; where a label rests on a
    fixed part, it is found by a call that quotes the passage, and where thoughts are kept, by one that thinks. An
    answer that was written along is checked as any other.

    Raises:
        errors.Rejection: step `answer`.
        errors.NodeError: where the model gave nothing usable.
    """
    asked = context.fixed_parts or context.keeps_thoughts or context.checks.quorum is not None
    if hop.label and not asked:
        return CheckedAnswer(replace(draft, output=hop.label))
    question = replace(context.question(hop, draft), correction=correction)
    given = draft if draft.output and not correction else None
    found = await context.checks.answer(ask, question, given)
    if problem := context.format.check(found.draft, context.card):
        raise Rejection("answer", "broken_format", problem)
    check_answer(context, draft.input, found.draft)
    if not context.keeps_thoughts:
        return found
    return replace(found, draft=await context.format.think(ask, context.card, question, found.draft))


def check_answer(context: RecipeContext, text: str, answer: Draft) -> None:
    """What code can check of an answer to the input `text`; raises `errors.Rejection` of the step `answer`."""
    told = replace(answer, output=context.format.read_prose(answer, context.card))
    if fault := context.gate.check_answer(text, told):
        raise Rejection("answer", fault.reason, fault.detail)


async def reflect(
    context: RecipeContext,
    hop: Hop,
    found: CheckedAnswer,
    candidate: Candidate,
    ask: Ask,
    reading: Reading | None = None,
) -> tuple[Verdict, CheckedAnswer]:
    """Step 6: the blind reading, its answer held against the record's; then, where there is one, the comparison.

    The judge's own answer is one vote, the record's the other. Where they differ on a worked or structured answer,
    further answers decide, as many as the quorum allows; a label or an option that two readers see differently is not
    clear enough. `reading` is that of the same text with another answer, which no reading knows.

    Raises:
        errors.Rejection: step `reflect`, with the reason `label_mismatch` or `no_agreement`.
        errors.NodeError: where the judge said nothing usable.
    """
    reading = reading or await context.judge.read(hop, found.draft)
    verdict = Verdict(reading)
    candidate.scores = verdict.as_scores()
    if not apply_thresholds(verdict, context.thresholds).accepted:
        return verdict, found
    if context.format.is_comparable(context.card):
        found = await _hold_against(context, hop, found, reading.own_answer, ask)
    if not hop.starts_anew or context.format.shows_answer(context.card):
        verdict = Verdict(reading, await context.judge.compare(hop, found.draft))
        candidate.scores = verdict.as_scores()
    return verdict, found


async def _hold_against(
    context: RecipeContext, hop: Hop, found: CheckedAnswer, own_answer: str, ask: Ask
) -> CheckedAnswer:
    format, checks = context.format, context.checks
    final = format.extract_final_answer(found.draft, context.card)
    if own_answer and format.compare(final, own_answer):
        return replace(found, scores={"agreement": "2/2", **found.scores}).with_vote(final)
    if format.labelled or found.draft.choices or checks.quorum is None:
        reason = "label_mismatch" if format.labelled else "no_agreement"
        raise Rejection(
            "reflect", reason, f"the record says {final[:80]!r}, the judge {own_answer[:80] or 'nothing'!r}"
        )
    decided = await checks.decide(ask, context.question(hop, found.draft), found, own_answer)
    if decided.draft is not found.draft:  # the vote went to an answer that nothing has looked at
        check_answer(context, found.draft.input, decided.draft)
    return decided


def keep_thoughts(context: RecipeContext, draft: Draft) -> Draft:
    """The draft with its thoughts, or without them where records have none."""
    return draft if context.keeps_thoughts else replace(draft, thoughts="")


def make_record(
    context: RecipeContext, hop: Hop, found: CheckedAnswer, verdict: Verdict | None, revisions: int
) -> Record:
    """The accepted record."""
    grades = {**verdict.as_scores(), "correct": True} if verdict else {}
    draft = replace(keep_thoughts(context, found.draft), system=hop.parent.draft.system)
    source = {DOCUMENT: dict(hop.parent.source)} if hop.parent.source else {}
    return Record(
        hop.id, context.task, context.format.name, draft, hop.parent.parts, Lineage.of(hop),
        {**grades, **found.scores}, revisions, meta={**hop.seed.meta, **source, **name_passages(context, draft)},
    )  # fmt: skip


def name_passages(context: RecipeContext, draft: Draft) -> dict[str, Any]:
    """Which passages of `--knowledge` stood beside the answer and the judge of this draft, for the record's `meta`."""
    if context.knowledge is None:
        return {}
    asked = context.format.show_input(draft), context.format.show_to_judge(draft)
    return {KNOWLEDGE: [dict(passage.source) for passage in context.knowledge.find(asked)]}
