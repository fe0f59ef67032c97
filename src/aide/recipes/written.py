"""Records that are written: several texts by one call, then each is checked, answered, graded and, if need be, revised.

Steps 2 to 6 of the method, shared by the recipes that differ only in what they ask the writer for. Straight-line code
over `ask`; what is durable, adaptive and paid for hides behind it. Between two `ask`s everything is pure.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from aide.errors import NodeError, Rejection, Unusable
from aide.judging.verdict import apply_thresholds
from aide.recipes import steps
from aide.recipes.base import Candidate, charge_to, finish_each
from aide.recipes.chats import ChatsPayload
from aide.recipes.contract import Grown, Recipe
from aide.recipes.writing import Drafts, choose_payload, finish_draft, name_input
from aide.records import PLAIN, Ask, Correction, Draft, Group, Hop, Reading, Record, TracedAsk


class WrittenRecipe(Recipe):
    """A recipe whose records are written along lines; it says which prompt, and what stands on a line.

    Such a prompt is given the values of the step `synthesize` (docs/design/prompts.md) and extends one of its bases, or
    keeps to its tags.
    """

    def find_template(self, hop: Hop) -> str:
        """The prompt that writes a group that begins with this hop."""
        raise NotImplementedError(f"the recipe {self.name} writes nothing")

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """One line of the prompt, with a full stop: what the text of this hop is to be.

        `answered`: its answer is written along.
        """
        raise NotImplementedError(f"the recipe {self.name} writes nothing")

    def list_values(self, hops: Sequence[Hop]) -> dict[str, Any]:
        """Further values for the prompt."""
        return {}

    def number_draw(self, hops: Sequence[Hop]) -> int:
        """Which sample of its prompt a call is; where prompts may be the same, calls need numbers that differ."""
        return hops[0].draw if len(hops) == 1 else 0

    def find_warmth(self, hops: Sequence[Hop]) -> float:
        """What the temperature of their writer is multiplied by."""
        return 1.0

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
        """The texts of a group by one call: children of one parent, or plain records."""
        return await self._write(group.hops, "synthesize", self.find_template(group.hops[0]), ask, group)

    async def revise(self, hop: Hop, draft: Draft, critique: str, ask: Ask) -> Draft:
        """Rewrite one input with the critique at hand."""
        found = await self._write(
            (hop,), "revise", self.find_revision(), ask, Group((hop,)),
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
            step, payload, template=template, max_output=max_output, draw=self.number_draw(hops),
            lines=[self.describe(hop, answered=bool(reply)) for hop in hops],
            label=format.show_label(card, first.label), asked=format.find_asked(card, first.label),
            other_labels=[labels[name] for name in context.confusable(first.label)[:2] if name in labels],
            parent=format.show_input(first.parent.draft) if first.operation != PLAIN else "",
            seed=format.show_input(first.seed.draft) if first.anchored else "",
            parts=format.list_fixed(first.parent.draft, first.parent.parts),
            demos=context.examples(group), there=group.there, form=form,
            reply=reply, what=name_input(card), warmth=self.find_warmth(hops), **self.list_values(hops), **given,
        )  # fmt: skip
        return {place: finish_draft(format, card, hops[place], draft) for place, draft in found.items()}

    def find_revision(self) -> str:
        """The prompt that rewrites an input, the variant for this format first."""
        names = [f"revise.{name}" for name in self.context.format.prompt_names]
        return self.context.prompts.find_template(*names, "revise")
