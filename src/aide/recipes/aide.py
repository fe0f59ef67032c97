"""The method, top to bottom: attribute-guided multi-hop data expansion (AIDE, ACL 2025, arXiv 2412.06136).

`plant` finds what a data point is about; `grow` makes records of the next hop, several at once. Each accepted record
that has hops left below it may be planted in its turn (step 7). Beside these guided records stand plain ones, the usual
things that most real data are. Both are straight-line code over `ask`; what is durable, adaptive and paid for hides
behind it. Between two `ask`s everything is pure.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from aide.card import Traits
from aide.errors import NodeError, Rejection, Unusable
from aide.frontier import PlantWork
from aide.judging.verdict import apply_thresholds
from aide.prompts import list_variants
from aide.recipes import steps
from aide.recipes.base import (
    Attributes,
    Candidate,
    Grown,
    RecipeContext,
    charge_to,
    finish_each,
    run_side_by_side,
)
from aide.recipes.chats import ChatsPayload
from aide.recipes.extraction import (
    make_extraction_payload,
    make_graph_payload,
    make_plant_payload,
    normalise_triples,
)
from aide.recipes.personas import find_personas
from aide.recipes.writing import Drafts, choose_payload, finish_draft, name_input
from aide.records import (
    PERSONA,
    PLAIN,
    Ask,
    Correction,
    Draft,
    Group,
    Hop,
    Point,
    Reading,
    Record,
    Seed,
    TracedAsk,
    Triple,
)


class Aide:
    """The recipe of the paper, with the rules that the method needs beyond it."""

    name = "aide"

    def __init__(self, context: RecipeContext) -> None:
        self.context = context

    # --- steps 1 and 3a: what a data point is about --------------------------------------------------

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Attributes:
        """Topic, triples (t, r, a) and personas of a data point: as many as its children will take, from one call.

        A model that can't fill such an answer is asked in three; personas of a bank, and the triples of graph
        expansion, come after the topic in any case.
        """
        context, spec = self.context, self.context.spec
        graph = max(0, work.triples - spec.attributes)
        triples, people = work.triples - graph, 0 if context.bank else work.personas
        shared: dict[str, Any] = {"text": point.draft.input, "parts": point.parts, "demos": ()}
        try:
            label = context.format.show_label(context.card, work.label)
            found, personas = await ask(
                "extract", make_plant_payload(triples, people), template="plant",
                max_output=150 + 40 * (triples + people), attributes=triples, personas=people, label=label, **shared,
            )  # fmt: skip
        except Unusable:
            asked = max(1, triples)  # a topic alone is no extraction
            payload, max_output = make_extraction_payload(asked), 150 + 40 * asked
            found = await ask("extract", payload, max_output=max_output, attributes=asked, **shared)
            personas = None
        first = normalise_triples(found)[:triples]
        more, named = await run_side_by_side(
            self.expand_graph(found.topic, first, graph, ask, **shared),
            find_personas(found.topic, work.personas, context.bank, ask, given=personas, parts=point.parts),
        )
        return Attributes(found.topic, (*first, *more), named)

    async def expand_graph(
        self, topic: str, triples: Sequence[Triple], more: int, ask: Ask, **shared: Any
    ) -> tuple[Triple, ...]:
        """A few more triples of the same topic, whose attributes join the list; none where none can be had."""
        if not more or not triples:
            return ()
        try:
            payload, max_output = make_graph_payload(more), 100 + 40 * more
            shared |= {"topic": topic, "triples": triples, "more": more}
            found = await ask("expand_graph", payload, max_output=max_output, **shared)
        except Unusable:
            return ()
        return normalise_triples(found, topic=topic, known=triples)[:more]

    # --- steps 2 to 6: the records of one group -------------------------------------------------------

    async def grow(self, group: Group, ask: TracedAsk) -> AsyncGenerator[Grown, None]:
        """Write all, then finish each: check, answer, reflect. What the shared call left out is written alone."""
        still = [hop for place, hop in enumerate(group.hops) if place not in group.settled]
        try:
            drafts = await self.synthesize(group, ask)
        except NodeError as fault:
            if len(group.hops) == 1:
                yield Grown(group.hops[0], fault)
                return
            drafts = {}
        self.context.note_written(group, len(drafts))
        written = {hop.id: drafts.get(place) for place, hop in enumerate(group.hops)}
        self.context.judge.announce(group.id, len(still))

        async def finish(hop: Hop) -> Record:
            own = charge_to(hop.id, ask)
            try:
                draft = written[hop.id] or (await self.synthesize(Group((hop,)), own))[0]
                return await self.finish(hop, draft, own)
            finally:
                self.context.judge.withdraw(hop)

        async with aclosing(
            finish_each(still, finish, lambda: ask.models.get("synthesize", ""))
        ) as all_grown:
            async for grown in all_grown:
                yield grown

    async def finish(self, hop: Hop, draft: Draft, ask: Ask) -> Record:
        """Check, answer, reflect; raises `Rejection` with the step and the reason.

        A wrong answer alone is only answered again; with any other fault the text is written again.
        """
        context = self.context
        revisions = context.spec.max_revisions
        correction: Correction | None = None
        reading: Reading | None = None
        with Candidate(draft) as candidate:
            for revision in range(revisions + 1):
                if correction is None:
                    await steps.check_input(context, hop, candidate.draft)
                found = await steps.answer(context, hop, candidate.draft, ask, correction)
                if not context.spec.reflection:
                    return steps.make_record(context, hop, found, None, revision)
                verdict, found = await steps.reflect(context, hop, found, candidate, ask, reading)
                judgement = apply_thresholds(verdict, context.thresholds)
                if judgement.accepted:
                    return steps.make_record(context, hop, found, verdict, revision)
                if revision == revisions:
                    raise Rejection("reflect", judgement.reason, judgement.critique)
                if judgement.answer_only:
                    correction = Correction(context.format.render(found.draft), judgement.critique)
                    reading = verdict.reading
                else:
                    correction, reading = None, None
                    candidate.draft = await self.revise(hop, found.draft, judgement.critique, ask)
        raise AssertionError("the last revision returns or raises")

    async def synthesize(self, group: Group, ask: Ask) -> Drafts:
        """Steps 2 and 3: children of one parent, each along a triple by an operation or as a persona; or plain records.

        Past the residual depth the seed stands beside the parent (step 4), for every operation and for personas.
        """
        return await self._write(group.hops, "synthesize", self._template(group.hops[0]), ask, group)

    async def revise(self, hop: Hop, draft: Draft, critique: str, ask: Ask) -> Draft:
        """Rewrite one input with the critique at hand."""
        found = await self._write(
            (hop,), "revise", self._find_revision(), ask, Group((hop,)),
            draft=self.context.format.show_input(draft), critique=critique,
        )  # fmt: skip
        return found[0]

    async def _write(
        self, hops: Sequence[Hop], step: str, template: str, ask: Ask, group: Group, **given: Any
    ) -> Drafts:
        """The texts, with their answers where the writer is to give them; a weak model may fail at that and is then
        asked for the text alone, which is answered like any other.
        """
        reply = self.context.reply
        try:
            return await self._write_as(reply, hops, step, template, ask, group, **given)
        except Unusable:
            if len(hops) > 1 or not reply:
                raise
        return await self._write_as("", hops, step, template, ask, group, **given)

    async def _write_as(
        self, reply: str, hops: Sequence[Hop], step: str, template: str, ask: Ask, group: Group, **given: Any
    ) -> Drafts:
        context, card, format, first = self.context, self.context.card, self.context.format, hops[0]
        labels = {label.name: label for label in card.labels}
        models = [hop.parent.draft for hop in hops]
        payload = (
            ChatsPayload(models, answered=bool(reply))
            if format.chats
            else choose_payload(card, len(hops), reply)
        )
        form = ""
        if reply == format.reply != "":
            prompts = dict.fromkeys(map(format.name_answer, models))
            forms = (context.prompts.render_form(f"answer/{name}", evidence=False) for name in prompts)
            form = "\n".join(forms)
        max_output = card.max_input_tokens * len(hops)
        if reply:
            max_output += card.max_answer_tokens * len(hops)
        found = await ask(
            step, payload, template=template, max_output=max_output, draw=first.draw if len(hops) == 1 else 0,
            lines=[self._describe(hop, answered=bool(reply)) for hop in hops],
            label=format.show_label(card, first.label), asked=format.find_asked(card, first.label),
            other_labels=[labels[name] for name in context.confusable(first.label)[:2] if name in labels],
            parent=format.show_input(first.parent.draft) if first.operation != PLAIN else "",
            seed=format.show_input(first.seed.draft) if first.anchored else "",
            parts=format.list_fixed(first.parent.draft, first.parent.parts),
            demos=context.examples(group), there=group.there, form=form,
            reply=reply, what=name_input(card), **given,
        )  # fmt: skip
        return {place: finish_draft(format, card, hops[place], draft) for place, draft in found.items()}

    def _find_revision(self) -> str:
        """The prompt that rewrites an input, the variant for this format first."""
        names = [f"revise.{name}" for name in self.context.format.prompt_names]
        return self.context.prompts.find_template(*names, "revise")

    def _template(self, hop: Hop) -> str:
        """The prompt of plain or of guided records, the variant for this format and for parts first."""
        kind = PLAIN if hop.operation == PLAIN else "_guided"
        names = self.context.format.prompt_names
        return self.context.prompts.find_template(*list_variants(kind, names, parts=self.context.fixed_parts))

    def _describe(self, hop: Hop, *, answered: bool = False) -> str:
        """One line of a prompt: what it is about, how it is changed, its traits, the shape that it takes over."""
        about = [hop.topic] if hop.topic else []
        if hop.operation != PLAIN:
            names = list_variants(
                hop.operation, self.context.format.prompt_names, parts=self.context.fixed_parts
            )
            change = self.context.prompts.render_instruction(self.context.prompts.find_template(*names))
            if hop.triple:
                about += [f"{hop.triple.relation}: {hop.triple.attribute}"]
            elif hop.persona:
                about += [hop.persona]
            about = [" – ".join(about), *([change] if _has_room(hop) else [])]
        line = "; ".join(filter(None, about))
        others = f" (others take up: {'; '.join(hop.others)})" if hop.others else ""
        said = f"{line}{others}{'. ' if line and hop.manner else ''}{hop.manner[:1].upper()}{hop.manner[1:]}."
        shape = self.context.format.describe_shape(hop.parent.draft, answered=answered)
        return f"{said if said != '.' else ''} {shape}".strip() if shape else said


def _has_room(hop: Hop) -> bool:
    """A short text has room for its matter alone: a circumstance cannot be had in five words."""
    return not hop.traits or hop.operation == PERSONA or not Traits.from_dict(hop.traits).is_short
