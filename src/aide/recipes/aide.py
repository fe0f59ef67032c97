"""The method, top to bottom: attribute-guided multi-hop data expansion (AIDE, ACL 2025, arXiv 2412.06136).

`plant` finds what a data point is about; `grow` makes one record of the next hop. Each accepted record that has hops
left below it is planted in its turn (step 7). Both are straight-line code over `ask`; what is durable, adaptive and
paid for hides behind it. Between two `ask`s everything is pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aide.errors import Rejection, Unusable
from aide.judging.passage import cut_passage
from aide.judging.verdict import VERDICT, apply_thresholds
from aide.prompts import list_variants
from aide.recipes.base import Attributes, Candidate, RecipeContext, run_side_by_side
from aide.recipes.extraction import make_extraction_payload, make_graph_payload, normalise_triples
from aide.recipes.items import ItemsPayload
from aide.recipes.joint import write_input
from aide.recipes.personas import find_personas
from aide.records import PERSONA, Ask, Correction, Draft, Hop, Lineage, Point, Record, Seed, Verdict
from aide.verify.answers import CheckedAnswer


class Aide:
    """The recipe of the paper, with the rules that the method needs beyond it."""

    name = "aide"

    def __init__(self, brief: RecipeContext) -> None:
        self.brief = brief

    # --- steps 1 and 3a: what a data point is about --------------------------------------------------

    async def plant(self, seed: Seed, point: Point, ask: Ask) -> Attributes:
        """Topic, triples (t, r, a) and personas of a data point that will be expanded."""
        spec = self.brief.spec
        told: dict[str, Any] = {"text": point.draft.input, "parts": point.parts, "demos": ()}

        # Extract: one topic t, and attributes a_j with the relations r_j that tie them to it.
        payload, room = make_extraction_payload(spec.attributes), 150 + 40 * spec.attributes
        found = await ask("extract", payload, max_output=room, attributes=spec.attributes, **told)
        triples = normalise_triples(found)

        # Graph expansion and personas need only the topic: side by side.
        graph, people = await run_side_by_side(
            self.expand_graph(found.topic, triples, ask, **told),
            find_personas(found.topic, spec.personas, self.brief.bank, ask, parts=point.parts),
        )
        return Attributes(found.topic, (*triples, *graph), people)

    async def expand_graph(
        self, topic: str, triples: Sequence[Any], ask: Ask, **told: Any
    ) -> tuple[Any, ...]:
        """A few more triples of the same topic, whose attributes join the list; none where none can be had."""
        more = self.brief.graph_triples
        if not more or not triples:
            return ()
        try:
            payload, room = make_graph_payload(more), 100 + 40 * more
            told |= {"topic": topic, "triples": triples, "more": more}
            found = await ask("expand_graph", payload, max_output=room, **told)
        except Unusable:
            return ()
        return normalise_triples(found, topic=topic, known=triples)[:more]

    # --- steps 2 to 6: one record of the next hop ---------------------------------------------------

    async def grow(self, hop: Hop, ask: Ask) -> Record:
        """Synthesize, check, answer, reflect; raises `Rejection` with the step and the reason."""
        with Candidate(await self.synthesize(hop, ask)) as candidate:
            await self.check_input(hop, candidate.draft.input)
            answer = await self.answer(hop, candidate.draft, ask)

            for revision in range(self.brief.spec.max_revisions + 1):
                if not self.brief.spec.reflection:
                    return self.record(hop, answer, None, revision)
                verdict = await self.reflect(hop, answer.draft, ask)
                judgement = apply_thresholds(verdict, self.brief.standard)
                if judgement.accepted:
                    return self.record(hop, answer, verdict, revision)
                if revision == self.brief.spec.max_revisions:
                    raise Rejection("reflect", judgement.reason, judgement.critique)
                wrong = None
                if judgement.answer_only:
                    wrong = Correction(self.brief.format.render(answer.draft), judgement.critique)
                else:
                    candidate.draft = await self.revise(hop, answer.draft, judgement.critique, ask)
                    await self.check_input(hop, candidate.draft.input)
                answer = await self.answer(hop, candidate.draft, ask, wrong)
        raise AssertionError("the last revision returns or raises")

    async def synthesize(self, hop: Hop, ask: Ask) -> Draft:
        """Steps 2 and 3: the parent rewritten along a triple by an operation, or asked anew by a persona.

        Past the residual depth the seed stands beside the parent (step 4), for every operation and for personas.
        """
        told = self.told(hop)
        if len(hop.siblings) > 1:  # one call for several questions over one document
            wanted = [self.wanted(sibling) for sibling in hop.siblings]
            room = self.brief.card.max_input_tokens * len(wanted)
            payload, template = ItemsPayload("items", len(wanted)), "synthesize/_siblings"
            items = await ask(
                "synthesize", payload, template=template, max_output=room, wanted=wanted, **told
            )
            place = next(n for n, sibling in enumerate(hop.siblings, start=1) if sibling.id == hop.id)
            if place in items:
                return Draft(items[place], "")
        told.update(self.wanted(hop))
        return await write_input(
            self.brief, hop, ask, "synthesize", template=self.template(hop), draw=hop.draw, **told
        )

    async def answer(
        self, hop: Hop, draft: Draft, ask: Ask, correction: Correction | None = None
    ) -> CheckedAnswer:
        """Step 5: the output for the new input, by format, checked by code and by further answers.

        For fixed label sets the hop has brought the label: the model, which sees the input and the shuffled labels
        alone, has to find it blindly. Options are shuffled by the record's own id, and only what is well-formed goes on
        (step 8).
        """
        brief, question = self.brief, replace(self.brief.question(hop, draft.input), correction=correction)
        given = draft if draft.output and not correction else None
        answer = await brief.checks.answer(ask, question, given)
        if problem := brief.format.check(answer.draft, brief.card):
            raise Rejection("answer", "broken_format", problem)
        if fault := brief.gate.check_answer(draft.input, answer.draft):
            raise Rejection("answer", fault.reason, fault.detail)
        return answer

    async def reflect(self, hop: Hop, draft: Draft, ask: Ask) -> Verdict:
        """Step 6: relevance to the seed, diversity from the parent, and whether the answer is right, in one call."""
        parts, evidence = cut_passage(hop.parent.parts, draft.evidence)
        return await ask(
            "reflect", VERDICT, max_output=self.brief.card.max_answer_tokens + 500, parts=parts, demos=(),
            seed=hop.seed.draft.input, parent=hop.parent.draft.input, candidate=draft.input,
            answer=self.brief.format.render(draft), choices=draft.choices, evidence=evidence,
        )  # fmt: skip

    async def revise(self, hop: Hop, draft: Draft, critique: str, ask: Ask) -> Draft:
        """Rewrite the input with the critique at hand."""
        told = {**self.told(hop), **self.wanted(hop), "draft": draft.input, "critique": critique}
        return await write_input(self.brief, hop, ask, "revise", **told)

    async def check_input(self, hop: Hop, text: str) -> None:
        """What code can check before an answer is paid for: form, language, leftovers, copies, duplicates."""
        seed, parent = hop.seed.draft.input, hop.parent.draft.input
        fixed = hop.parent.parts.fixed_text
        if fault := self.brief.gate.check(text, seed=seed, parent=parent, label=hop.label, fixed=fixed):
            raise Rejection("synthesize", fault.reason, fault.detail)
        if twin := self.brief.novelty.claim(hop.id, text) or await self.brief.novelty.meant(hop.id, text):
            raise Rejection("synthesize", "duplicate", twin)

    def record(self, hop: Hop, answer: CheckedAnswer, verdict: Verdict | None, revisions: int) -> Record:
        """The accepted record."""
        brief = self.brief
        scores: dict[str, Any] = {}
        if verdict is not None:
            scores |= {"relevance": verdict.relevance, "diversity": verdict.diversity}
            scores["correct"] = verdict.correct
        scores.update(answer.scores)
        return Record(
            hop.id, brief.task, brief.format.name, answer.draft, hop.parent.parts, Lineage.of(hop), scores, revisions,
            meta=hop.seed.meta,
        )  # fmt: skip

    # --- what the prompts are told ----------------------------------------------------------------

    def told(self, hop: Hop) -> dict[str, Any]:
        """What siblings share: it stands first in the prompt, so that prefix caches serve it."""
        return {
            "parent": hop.parent.draft.input,
            "seed": hop.seed.draft.input if hop.anchored else "",
            "topic": hop.topic,
            "parts": hop.parent.parts,
            "demos": self.brief.demonstrations(hop.seed),
        }

    def wanted(self, hop: Hop) -> dict[str, Any]:
        """What is this hop's own: operation, triple or persona, label, and the labels it must not fit."""
        labels = {label.name: label for label in self.brief.card.labels}
        confusable = self.brief.confusable(hop.label)[:2] if hop.label else ()
        wanted = {
            "operation": hop.operation,
            "relation": hop.triple.relation if hop.triple else "",
            "attribute": hop.triple.attribute if hop.triple else "",
            "persona": hop.persona or "",
            "others": hop.others,
            "label": labels.get(hop.label or ""),
            "other_labels": [labels[name] for name in confusable],
        }
        return {**wanted, "instruction": self.brief.prompts.instruction(self.template(hop), **wanted)}

    def template(self, hop: Hop) -> str:
        """The prompt of this hop's operation, the variant for its format and parts first."""
        operation, parts = PERSONA if hop.persona else hop.operation, bool(hop.parent.parts.fixed)
        return self.brief.prompts.first(
            *list_variants(operation, self.brief.format.prompt_names, parts=parts)
        )
