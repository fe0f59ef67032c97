"""Steps that recipes share: the checks of a new input, its answer, the judge's verdict, the record."""

from dataclasses import replace
from typing import Any

from aide.errors import Rejection
from aide.judging.passage import cut_passage
from aide.judging.verdict import VERDICT
from aide.recipes.base import RecipeContext
from aide.records import Ask, Correction, Draft, Hop, Lineage, Record, Verdict
from aide.verify.answers import CheckedAnswer


async def check_input(context: RecipeContext, hop: Hop, text: str) -> None:
    """What code can check before an answer is paid for: form, language, leftovers, copies, duplicates.

    Raises:
        errors.Rejection: step `synthesize`.
    """
    seed, parent = hop.seed.draft.input, hop.parent.draft.input
    fixed = hop.parent.parts.fixed_text
    if fault := context.gate.check(text, seed=seed, parent=parent, fixed=fixed):
        raise Rejection("synthesize", fault.reason, fault.detail)
    deduplicator = context.deduplicator
    repeated = deduplicator.check_wording(hop.id, text) or await deduplicator.check_meaning(hop.id, text)
    if repeated:
        raise Rejection("synthesize", "duplicate", repeated)


async def answer(
    context: RecipeContext, hop: Hop, draft: Draft, ask: Ask, correction: Correction | None = None
) -> CheckedAnswer:
    """Step 5: the output for the new input, by format, checked by code and by further answers.

    For fixed label sets the hop has brought the label: the model, which sees the input and the shuffled labels alone,
    has to find it blindly. Options are shuffled by the record's own id, and only what is well-formed goes on (step 8).

    Raises:
        errors.Rejection: step `answer`.
        errors.NodeError: where the model gave nothing usable.
    """
    question = replace(context.question(hop, draft.input), correction=correction)
    given = draft if draft.output and not correction else None
    found = await context.checks.answer(ask, question, given)
    if problem := context.format.check(found.draft, context.card):
        raise Rejection("answer", "broken_format", problem)
    if fault := context.gate.check_answer(draft.input, found.draft):
        raise Rejection("answer", fault.reason, fault.detail)
    return found


async def reflect(context: RecipeContext, hop: Hop, draft: Draft, ask: Ask) -> Verdict:
    """Step 6: relevance to the seed, diversity from the parent, and whether the answer is right, in one call."""
    parts, evidence = cut_passage(hop.parent.parts, draft.evidence)
    return await ask(
        "reflect", VERDICT, max_output=context.card.max_answer_tokens + 500, parts=parts, demos=(),
        seed=hop.seed.draft.input, parent=hop.parent.draft.input, candidate=draft.input,
        answer=context.format.render(draft), choices=draft.choices, evidence=evidence,
    )  # fmt: skip


def make_record(
    context: RecipeContext, hop: Hop, found: CheckedAnswer, verdict: Verdict | None, revisions: int
) -> Record:
    """The accepted record."""
    grades: dict[str, Any] = {}
    if verdict is not None:
        grades = {
            "relevance": verdict.relevance,
            "diversity": verdict.diversity,
            "correct": verdict.correct,
        }
    return Record(
        hop.id, context.task, context.format.name, found.draft, hop.parent.parts, Lineage.of(hop),
        {**grades, **found.scores}, revisions, meta=hop.seed.meta,
    )  # fmt: skip
