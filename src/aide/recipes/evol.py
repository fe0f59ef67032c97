"""Evol-Instruct: instructions are evolved round by round, answered, and dropped where an evolution failed.

WizardLM, Xu et al., ICLR 2024 (arXiv 2304.12244), section 3: five ways of in-depth evolving, one of in-breadth
evolving, and elimination evolving. A round is a hop. docs/recipes/evol.md says where this departs from the source.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar, Final

from aide.config.settings import JUDGE_SETTINGS
from aide.config.spec import RunSpec
from aide.errors import InputError, Rejection
from aide.frontier import PlantWork, TreeShape
from aide.parsing import ModelPayload, ReplyModel
from aide.recipes import steps
from aide.recipes.base import Candidate, charge_to, finish_each
from aide.recipes.contract import Found, Grown, Recipe, RecipeInputs
from aide.recipes.writing import OnePayload, name_input
from aide.records import Ask, Draft, Group, Hop, Point, Record, Seed, TracedAsk
from aide.text.words import fold_words

DEPTH: Final = ("add_constraints", "deepen", "concretize", "increase_reasoning", "complicate_input")
BREADTH: Final = "in_breadth"
EVOLUTIONS: Final = "evolutions"

_SHORT: Final = 80  # words: a longer answer that apologises answers all the same
_NEW: Final = "given|rewritten|created|evolved"
_TEXT: Final = "prompt|instruction|input|text|question|problem|task"
_APOLOGY: Final = re.compile(
    r"\b(?:sorry|apologi[sz]e|apology|apologies|tut mir leid|désolée?|lo siento|mi dispiace|desculpe|sinto muito|"
    r"het spijt me|извините)\b|抱歉|对不起|申し訳",
    re.IGNORECASE,
)
_STOP_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "a about above after again all also am an and any are as at be because been before being below both "
        "but by can did do does doing down during each few for from further had has have having he her here "
        "hers him his how i if in into is it its just me more most my no nor not now of off on once only or "
        "other our out over own same she so some such than that the their them then there these they this "
        "those through to too under until up very was we were what when where which while who whom why will "
        "with you your",
    )
)


class GainReply(ReplyModel):
    """Whether an evolved text asks for anything that its parent did not."""

    differs: bool


class Evol(Recipe):
    """Each parent made harder in five ways, or followed by a rarer one of its domain."""

    name = "evol"
    summary = (
        "Rounds of evolving: each parent made harder in five ways, or a rarer one of its domain; "
        "answered, and dropped where that failed."
    )
    source = "Xu et al., WizardLM (Evol-Instruct), ICLR 2024 (arXiv 2304.12244)"
    needs = "some ten seeds of any format but chat"
    settings = frozenset({"hops"})
    # Each text is answered by itself, and so it gets its label.
    unheeded = JUDGE_SETTINGS | {"answer", "balance"}
    # A child that holds its parent and more is meant here, and would be a near-duplicate.
    defaults: ClassVar[Mapping[str, Any]] = {
        "hops": 4, "plain_share": 0.0, "residual": "off", "steer": False, "duplicates": "exact", "exam": False,
        "answer": "separate",
    }  # fmt: skip
    draws_traits = False
    deals_topics = False
    deals_labels = False
    shares_calls = False

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """At most six children of a parent, one for each way; one, as in the source, as long as there are parents."""
        shape = cls.make_shape(spec, {EVOLUTIONS: 1}, dict.fromkeys((*DEPTH, BREADTH), EVOLUTIONS))
        return replace(shape, siblings=1)

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """What is evolved is one text."""
        super().check(spec, inputs)
        if inputs.format.chats:
            raise InputError(f"the recipe {cls.name} evolves no chats", hint="leave --recipe out")
        if spec.together not in ("auto", 1) and not spec.exam:
            raise InputError(
                f"--together {spec.together} has no effect: in {cls.name} each record has calls of its own",
                hint="leave it out; with --exam it says how many seeds the judge reads at once",
            )

    @classmethod
    def allow_length(cls, spec: RunSpec) -> float:
        """Each round may add as much as a seed has: some words and, now and then, a table or a piece of code."""
        return 1 + spec.hops

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """The kind says it all."""
        return {}

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """Every parent can be evolved in every way, and nothing has to be found out for that."""
        return Found("", {EVOLUTIONS: [""]})

    async def grow(self, group: Group, ask: TracedAsk) -> AsyncGenerator[Grown, None]:
        """Each record by calls of its own."""
        still = [hop for place, hop in enumerate(group.hops) if place not in group.settled]

        async def finish(hop: Hop) -> Record:
            return await self.evolve(hop, charge_to(hop.id, ask))

        async with aclosing(
            finish_each(still, finish, lambda: ask.models.get("synthesize", ""))
        ) as all_grown:
            async for grown in all_grown:
                yield grown

    async def evolve(self, hop: Hop, ask: Ask) -> Record:
        """Evolve, answer, eliminate; raises `Rejection` with the step and the reason."""
        context = self.context
        draft = await self.write(hop, ask)
        with Candidate(draft):
            check_prompt_words(draft.input, hop.parent.draft.input, name_input(context.card))
            await steps.check_input(context, hop, draft, grown=True)
            if context.spec.reflection:
                await self.check_gain(hop, draft, ask)
            found = await steps.answer(context, hop, draft, ask)
            self.check_words(hop, found.draft)
            return steps.make_record(context, hop, found, None, 0)

    async def write(self, hop: Hop, ask: Ask) -> Draft:
        """The evolved text: the parent made harder, or a new one."""
        format, card = self.context.format, self.context.card
        found = await ask(
            "synthesize", OnePayload(), template=f"recipes/evol/{hop.operation}",
            max_output=card.max_input_tokens, draw=hop.draw,
            parent=format.show_input(hop.parent.draft), parts=format.list_fixed(hop.parent.draft, hop.parent.parts),
            what=name_input(card),
        )  # fmt: skip
        return found[0]

    async def check_gain(self, hop: Hop, draft: Draft, ask: Ask) -> None:
        """Elimination 1: the model sees no difference between the evolved text and its parent.

        Raises:
            errors.Rejection: step `reflect`, reason `no_gain`.
        """
        format = self.context.format
        differs = await ask(
            "reflect", GAIN, template="recipes/evol/equal", max_output=100,
            parent=format.show_input(hop.parent.draft), text=format.show_input(draft),
            what=name_input(self.context.card),
        )  # fmt: skip
        if not differs:
            raise Rejection("reflect", "no_gain", "the model finds it equal to its parent")

    def check_words(self, hop: Hop, answer: Draft) -> None:
        """Eliminations 2 and 3: an answer that apologises and is short, or one without a word that says anything.

        Neither is used where the seed's own answer is such, nor for labels, options and JSON.

        Raises:
            errors.Rejection: step `answer`, reason `apology` or `no_words`.
        """
        format, card = self.context.format, self.context.card
        if format.labelled or format.structured or format.runs_tests or answer.choices:
            return
        theirs = format.read_prose(hop.seed.draft, card)
        told = format.read_prose(answer, card)
        if says_nothing(told) and not says_nothing(theirs):
            raise Rejection("answer", "no_words", told.strip()[:80])
        whole = f"{answer.reasoning}\n{told}"
        if is_apology(whole) and not is_apology(f"{hop.seed.draft.reasoning}\n{theirs}"):
            raise Rejection("answer", "apology", whole.strip()[:80])


GAIN: Final = ModelPayload("gain", GainReply, lambda reply: reply.differs)


def check_prompt_words(text: str, parent: str, what: str) -> None:
    """Elimination 4: the text copies words of the evolving prompt that its parent does not have.

    Raises:
        errors.Rejection: step `synthesize`, reason `prompt_leftover`.
    """
    pattern = rf"\b(?:{_NEW})[ _-](?:{_TEXT}|{re.escape(what)})s?\b"
    for found in re.finditer(pattern, text, re.IGNORECASE):
        if found[0].casefold() not in parent.casefold():
            raise Rejection("synthesize", "prompt_leftover", found[0])


def is_apology(answer: str) -> bool:
    """True for an answer of fewer than 80 words that apologises."""
    return bool(_APOLOGY.search(answer)) and len(answer.split()) < _SHORT


def says_nothing(answer: str) -> bool:
    """True for an answer of nothing but punctuation and English stop words."""
    return all(word in _STOP_WORDS for word in fold_words(answer))
