"""The method, top to bottom: attribute-guided multi-hop data expansion (AIDE, ACL 2025, arXiv 2412.06136).

`plant` finds what a data point is about; `grow` makes one record of the next hop. Each accepted record that has hops
left below it is planted in its turn (step 7). Both are straight-line code over `ask`; what is durable, adaptive and
paid for hides behind it. Between two `ask`s everything is pure.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aide.errors import NodeError, Rejection, Unusable
from aide.judging.verdict import apply_thresholds
from aide.prompts import list_variants
from aide.recipes import steps
from aide.recipes.base import Attributes, Candidate, RecipeContext, run_side_by_side
from aide.recipes.extraction import make_extraction_payload, make_graph_payload, normalise_triples
from aide.recipes.items import ItemsPayload
from aide.recipes.joint import write_input
from aide.recipes.personas import find_personas
from aide.records import PERSONA, Ask, Correction, Draft, Hop, Point, Record, Seed, Triple, replace

# What `rehearse` puts where a model would have named something.
_TRIPLE: Final = Triple("a topic of two words", "is measured by", "an attribute")
_PERSONA: Final = "a retired engineer who explains every step of her reasoning to her neighbours"
_CRITIQUE: Final = (
    "It is too far from the seed: relevance 5 of 10. Keep to what the seed asks, and mend what does not fit."
)
_SIBLINGS: Final = 5


class Aide:
    """The recipe of the paper, with the rules that the method needs beyond it."""

    name = "aide"

    def __init__(self, context: RecipeContext) -> None:
        self.context = context

    # --- steps 1 and 3a: what a data point is about --------------------------------------------------

    async def plant(self, seed: Seed, point: Point, ask: Ask) -> Attributes:
        """Topic, triples (t, r, a) and personas of a data point that will be expanded."""
        spec = self.context.spec
        shared: dict[str, Any] = {"text": point.draft.input, "parts": point.parts, "demos": ()}

        # Extract: one topic t, and attributes a_j with the relations r_j that tie them to it.
        payload, max_output = make_extraction_payload(spec.attributes), 150 + 40 * spec.attributes
        found = await ask("extract", payload, max_output=max_output, attributes=spec.attributes, **shared)
        triples = normalise_triples(found)

        # Graph expansion and personas need only the topic: side by side.
        graph, people = await run_side_by_side(
            self.expand_graph(found.topic, triples, ask, **shared),
            find_personas(found.topic, spec.personas, self.context.bank, ask, parts=point.parts),
        )
        return Attributes(found.topic, (*triples, *graph), people)

    async def expand_graph(
        self, topic: str, triples: Sequence[Triple], ask: Ask, **shared: Any
    ) -> tuple[Triple, ...]:
        """A few more triples of the same topic, whose attributes join the list; none where none can be had."""
        more = self.context.graph_triples
        if not more or not triples:
            return ()
        try:
            payload, max_output = make_graph_payload(more), 100 + 40 * more
            shared |= {"topic": topic, "triples": triples, "more": more}
            found = await ask("expand_graph", payload, max_output=max_output, **shared)
        except Unusable:
            return ()
        return normalise_triples(found, topic=topic, known=triples)[:more]

    # --- steps 2 to 6: one record of the next hop ---------------------------------------------------

    async def grow(self, hop: Hop, ask: Ask) -> Record:
        """Synthesize, check, answer, reflect; raises `Rejection` with the step and the reason."""
        context = self.context
        with Candidate(await self.synthesize(hop, ask)) as candidate:
            await steps.check_input(context, hop, candidate.draft.input)
            found = await steps.answer(context, hop, candidate.draft, ask)

            for revision in range(context.spec.max_revisions + 1):
                if not context.spec.reflection:
                    return steps.make_record(context, hop, found, None, revision)
                verdict = await steps.reflect(context, hop, found.draft, ask)
                judgement = apply_thresholds(verdict, context.thresholds)
                if judgement.accepted:
                    return steps.make_record(context, hop, found, verdict, revision)
                if revision == context.spec.max_revisions:
                    raise Rejection("reflect", judgement.reason, judgement.critique)
                wrong = None
                if judgement.answer_only:
                    wrong = Correction(context.format.render(found.draft), judgement.critique)
                else:
                    candidate.draft = await self.revise(hop, found.draft, judgement.critique, ask)
                    await steps.check_input(context, hop, candidate.draft.input)
                found = await steps.answer(context, hop, candidate.draft, ask, wrong)
        raise AssertionError("the last revision returns or raises")

    async def synthesize(self, hop: Hop, ask: Ask) -> Draft:
        """Steps 2 and 3: the parent rewritten along a triple by an operation, or asked anew by a persona.

        Past the residual depth the seed stands beside the parent (step 4), for every operation and for personas.
        """
        shared = self.shared_context(hop)
        if len(hop.siblings) > 1:  # one call for several questions over one document
            wanted = [self.hop_context(sibling) for sibling in hop.siblings]
            max_output = self.context.card.max_input_tokens * len(wanted)
            payload, template = ItemsPayload("items", len(wanted)), "synthesize/_siblings"
            items = await ask(
                "synthesize", payload, template=template, max_output=max_output, wanted=wanted, **shared
            )
            place = next(n for n, sibling in enumerate(hop.siblings, start=1) if sibling.id == hop.id)
            if place in items:
                return Draft(items[place], "")
        shared.update(self.hop_context(hop))
        return await write_input(
            self.context, hop, ask, "synthesize", template=self.template(hop), draw=hop.draw, **shared
        )

    async def revise(self, hop: Hop, draft: Draft, critique: str, ask: Ask) -> Draft:
        """Rewrite the input with the critique at hand."""
        context = {
            **self.shared_context(hop),
            **self.hop_context(hop),
            "draft": draft.input,
            "critique": critique,
        }
        return await write_input(self.context, hop, ask, "revise", **context)

    # --- what the prompts are given -------------------------------------------------------------------

    def shared_context(self, hop: Hop) -> dict[str, Any]:
        """What siblings share: it stands first in the prompt, so that prefix caches serve it."""
        return {
            "parent": hop.parent.draft.input,
            "seed": hop.seed.draft.input if hop.anchored else "",
            "topic": hop.topic,
            "parts": hop.parent.parts,
            "demos": self.context.demonstrations(hop.seed),
        }

    def hop_context(self, hop: Hop) -> dict[str, Any]:
        """What is this hop's own: operation, triple or persona, label, and the labels it must not fit."""
        labels = {label.name: label for label in self.context.card.labels}
        confusable = self.context.confusable(hop.label)[:2] if hop.label else ()
        own = {
            "operation": hop.operation,
            "relation": hop.triple.relation if hop.triple else "",
            "attribute": hop.triple.attribute if hop.triple else "",
            "persona": hop.persona or "",
            "others": hop.others,
            "label": labels.get(hop.label or ""),
            "other_labels": [labels[name] for name in confusable],
        }
        return {**own, "instruction": self.context.prompts.render_instruction(self.template(hop), **own)}

    def template(self, hop: Hop) -> str:
        """The prompt of this hop's operation, the variant for its format and parts first."""
        operation, parts = PERSONA if hop.persona else hop.operation, bool(hop.parent.parts.fixed)
        return self.context.prompts.find_template(
            *list_variants(operation, self.context.format.prompt_names, parts=parts)
        )

    # --- the plan -------------------------------------------------------------------------------------

    async def rehearse(self, seed: Seed, ask: Ask, *, anchored: bool) -> None:
        """See `Recipe.rehearse`."""
        context, spec = self.context, self.context.spec
        parent = Point(seed.id, seed.draft, seed.parts, int(anchored))
        shared: dict[str, Any] = {"text": seed.draft.input, "parts": seed.parts, "demos": ()}
        with suppress(NodeError):
            await self.plant(seed, parent, ask)
        await self.expand_graph(_TRIPLE.topic, (_TRIPLE,) * max(1, spec.attributes), ask, **shared)
        await find_personas(_TRIPLE.topic, spec.personas, context.bank, ask, parts=seed.parts)
        hops = [
            Hop(seed, parent, 1, name, _TRIPLE, topic=_TRIPLE.topic, anchored=anchored)
            for name in spec.operations
        ]
        if spec.personas:
            asked = Hop(seed, parent, 1, PERSONA, persona=_PERSONA, topic=_TRIPLE.topic, anchored=anchored)
            hops.append(asked)
        if context.format.labelled:
            hops = [replace(hop, label=seed.draft.output) for hop in hops]
        if seed.parts.fixed:
            hops = [
                replace(hop, siblings=tuple(replace(hop, draw=n) for n in range(_SIBLINGS))) for hop in hops
            ]
        for hop in hops:
            with suppress(NodeError):
                await self.synthesize(hop, ask)
            with suppress(NodeError):
                await self.revise(hop, seed.draft, _CRITIQUE, ask)
        with suppress(NodeError):
            await steps.answer(context, hops[0], Draft(seed.draft.input), ask)
        if spec.reflection:
            with suppress(NodeError):
                await steps.reflect(context, hops[0], seed.draft, ask)
