"""What every format shares: the task card, a question, the base class, and the one way to ask for an answer."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from aide.errors import InputError, Rejection, Unusable
from aide.formats.comparing import is_same_answer
from aide.formats.payloads import DraftPayload
from aide.formats.task import Label, Question, TaskCard
from aide.records import Ask, Draft, Parts, Payload
from aide.registry import Registry

V = TypeVar("V")

# After the one re-ask these reject the record. Any other reason says something about the call, not the answer.
_ANSWER_FAULTS: Final = frozenset({"broken_format", "evidence_missing", "quote_missing"})


class Format(ABC):
    """How the outputs of a task are found, asked for, checked, compared and shown.

    Whoever has to know how a format behaves asks it here: no code outside this folder compares its name. The
    defaults are those of plain text, so that a new format says only where it differs.
    """

    name: str
    """As it stands in `--format`, in records, and in the name of its prompt, `answer/<name>.md`."""
    kind: str = ""
    """What an answer is, in the words of the card's prompt; empty where the name says it."""
    labelled: bool = False
    """True when every output is one of a fixed set of labels. A hop then brings the label along, and the input
    is written for it."""
    worked: bool = False
    """True when outputs may show their working, whose equations are recomputed."""
    runs_tests: bool = False
    """True when outputs are programs, which their tests judge."""
    comparable: bool = False
    """True when code can tell whether two outputs say the same, so that several answers can be held to agree.
    `reading` is then set, too, unless tests judge."""

    structured: bool = False
    """True when outputs are JSON values; a draft has them as text."""
    judge_prompt: str = "reflect/blind"
    """The template of the judge's blind reading."""
    compare_prompt: str = "reflect/beside"
    """The template of the judge's comparison."""
    room: int = 1
    """How many times the usual tokens examples may take: one that is several texts is as long as all of them."""
    chats: bool = False
    """True when inputs are conversations, whose turns a draft holds."""
    reply: str = ""
    """How a writer writes several inputs together with their answers: `options`, `worked` or `chat`.

    Empty where it must not, because the answer has to be found without sight of what was meant.
    """
    reading: str = ""
    """What the judge answers, blind: `labels`, `options`, `worked` (a result with its working), `text`, `object` (a
    value of `make_reading_schema`) or `label_set`; empty where nothing is answered."""

    @property
    def prompt_names(self) -> tuple[str, ...]:
        """Under these names a prompt may have words for this format; the most special first."""
        return (self.name,)

    def name_answer(self, model: Draft) -> str:
        """The name of the prompt for an answer in the way of `model`, without its folder."""
        return self.name

    def runs_queries(self, card: TaskCard) -> bool:
        """True when outputs are queries, which give rows where they are run."""
        return False

    # --- from the seeds -----------------------------------------------------------------------------

    @abstractmethod
    def detect(self, drafts: Sequence[Draft]) -> bool:
        """True when these examples are of this format by their shape."""

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """A card with the fields that only this format can fill; all others are at their defaults.

        Raises:
            errors.InputError: the examples contradict `labels`, or tell too little.
        """
        return TaskCard(format=self.name)

    def normalise(self, draft: Draft) -> Draft:
        """A seed's content as this format writes it."""
        return draft

    def adopt_parts(self, card: TaskCard, drafts: Sequence[Draft], parts: Sequence[Parts]) -> TaskCard:
        """The card with what only the fixed parts of each example can tell."""
        return card

    def adopt_schema(
        self,
        card: TaskCard,
        drafts: Sequence[Draft],
        schema: Mapping[str, Any] | None,
        agree_on: Sequence[str],
    ) -> TaskCard:
        """The card with a person's schema of the outputs, and the fields of it that must agree.

        Raises:
            errors.InputError: the format has no schema, or the seeds and what was given contradict each other.
        """
        if schema is None and not agree_on:
            return card
        flag = "--schema" if schema is not None else "--agree-on"
        raise InputError(f"{flag} has no effect on the format {self.name}", hint="it is for answers in JSON")

    def list_labels(self, draft: Draft) -> tuple[str, ...]:
        """The labels of an example, of formats with a fixed set of them."""
        return (draft.output,)

    def weigh_labels(self, card: TaskCard, drafts: Sequence[Draft]) -> Mapping[str, int]:
        """What a hop may bring along as its label, and how often each comes; empty where the card's labels say it."""
        return {}

    def show_label(self, card: TaskCard, label: str | None) -> Label | None:
        """The label of a hop as prompts show it."""
        return next((each for each in card.labels if each.name == label), None)

    def find_asked(self, card: TaskCard, label: str | None) -> tuple[Label, ...]:
        """All labels that the text of a hop is to have."""
        return tuple(filter(None, [self.show_label(card, label)]))

    def check_card(self, card: TaskCard) -> tuple[str, str] | None:
        """The field of a card that can't be right for this format, and why; none where all can."""
        return None

    # --- to the model and back ----------------------------------------------------------------------

    @abstractmethod
    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The question with its answer, checked.

        Raises:
            errors.Rejection: step `answer`, reason `broken_format`, `evidence_missing` or `label_mismatch`.
            errors.NodeError: where the model gave nothing usable.
        """

    async def answer_again(self, ask: Ask, card: TaskCard, question: Question, draft: Draft) -> Draft:
        """A further answer to the question of `draft`, given without sight of its output.

        Raises:
            errors.NodeError: as from `answer`.
        """
        return await self.answer(ask, card, replace(question, label=None, correction=None))

    async def ask_draft(
        self,
        ask: Ask,
        card: TaskCard,
        question: Question,
        payload: Payload[V],
        build: Callable[[V], Draft],
        labels: Sequence[Label] = (),
    ) -> Draft:
        """One answer of the model, read by `payload` and made a draft by `build`, which passes `check`."""
        checked = DraftPayload(payload, build, lambda draft: self.check(draft, card))
        return await ask_answer(ask, checked, question, template=self.name, labels=labels)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """One sentence that says what breaks the format, for the model to mend; empty where nothing does."""
        return "" if draft.output.strip() else "The answer is empty; write the answer itself."

    def render(self, draft: Draft) -> str:
        """The answer as demonstrations and the judge see it."""
        return draft.output

    def show_input(self, draft: Draft) -> str:
        """The input as prompts show it."""
        return draft.input

    def list_fixed(self, draft: Draft, parts: Parts) -> Parts:
        """The fixed parts that stand before every prompt about this draft, whose own are `parts`."""
        return parts

    def ask_about(self, question: Question, draft: Draft, model: Draft) -> Question:
        """The question about `draft`, which is to be answered in the way of `model`."""
        return question

    def describe_shape(self, draft: Draft, *, answered: bool) -> str:
        """What the line of a new input says of the shape that it takes over from `draft`; mostly nothing."""
        return ""

    # --- written together, judged blind ---------------------------------------------------------------

    def finish(self, draft: Draft, card: TaskCard, id: str) -> Draft:
        """A draft that was written with its answer, brought into the form of the seeds; `id` seeds what is drawn."""
        return draft

    def show_to_judge(self, draft: Draft) -> str:
        """The text as the judge sees it before it knows any answer."""
        return self.show_input(draft)

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The judge's own answer, as `compare` takes it; empty where it found none."""
        return said.strip()

    def read_second_answer(self, said: str, own_answer: str, card: TaskCard) -> str:
        """Another answer that fits nearly as well in the judge's eyes; empty where there is none."""
        return ""

    def make_reading_schema(self, card: TaskCard) -> Mapping[str, Any] | None:
        """The schema of the judge's own answer; none where it is text or a label."""
        return None

    def read_prose(self, draft: Draft, card: TaskCard) -> str:
        """What of an output is in words of its own, and is looked at as text."""
        return draft.output

    async def think(self, ask: Ask, card: TaskCard, question: Question, draft: Draft) -> Draft:
        """The draft with the thoughts that lead to its output, where those of its answer's own call do not.

        Raises:
            errors.Rejection: step `answer`, reason `no_agreement`: they lead to another one.
            errors.NodeError: where the model gave nothing usable.
        """
        return draft

    # --- right or wrong -----------------------------------------------------------------------------

    def is_comparable(self, card: TaskCard) -> bool:
        """True when code can tell, for this task, whether two outputs say the same."""
        return self.comparable

    def shows_answer(self, card: TaskCard) -> bool:
        """True when the judge is shown the output after its blind reading: code cannot compare all of it."""
        return not self.is_comparable(card)

    def wants_votes(self, card: TaskCard) -> bool:
        """True when answers are held to agree by themselves, unless a person says otherwise.

        Options and labels are one choice among few, where the judge decides as well as a second answer does; a
        calculation can go wrong anywhere on its way.
        """
        return self.worked and bool(card.convention)

    def extract_final_answer(self, draft: Draft, card: TaskCard) -> str:
        """What an answer comes down to, as `compare` takes it."""
        return draft.output.strip()

    def compare(self, one: str, other: str) -> bool:
        """True when two final answers say the same."""
        return is_same_answer(one, other)

    def list_wrong_outputs(self, draft: Draft, labels: Sequence[str]) -> list[str]:
        """Outputs that are surely wrong for this input, in a fixed order; empty where none is known."""
        return [choice for choice in draft.choices if choice != draft.output]

    def make_wrong(
        self, draft: Draft, card: TaskCard, others: Sequence[str], dice: random.Random
    ) -> Draft | None:
        """The draft with a wrong output of the same form; none where none can be made.

        `others` are outputs of other seeds: as good as wrong where nothing nearer is known.
        """
        if draft.choices or self.labelled:
            wrong = self.list_wrong_outputs(draft, card.label_names)
            return replace(draft, output=dice.choice(wrong), thoughts="") if wrong else None
        bare = replace(draft, reasoning="", thoughts="", tests=())
        return replace(bare, output=dice.choice(others)) if others else None

    # --- for trainers -------------------------------------------------------------------------------

    def list_options(self, draft: Draft) -> list[str]:
        """The lines that stand below the question in a training example; empty where the question is all."""
        return []

    def render_for_training(self, draft: Draft) -> str:
        """What the assistant says in a training example.

        Raises:
            ValueError: the draft has no such answer; its text is a clause that follows the name of a line.
        """
        if not draft.reasoning:
            return draft.output
        working = draft.reasoning.rstrip()
        ends = draft.output in working.rpartition("\n")[2]
        return draft.reasoning if ends else f"{working}\n\n{draft.output}"


FORMATS: Final[Registry[Format]] = Registry("format")


async def ask_answer(
    ask: Ask,
    payload: Payload[V],
    question: Question,
    *,
    template: str,
    labels: Sequence[Label] = (),
    step: str = "answer",
) -> V:
    """One answer of the model to `question` through `answer/<template>.md`.

    Raises:
        errors.Rejection: where format or evidence are still broken after the re-ask.
        errors.NodeError: where nothing usable came at all.
    """
    try:
        return await ask(
            step,
            payload,
            template=f"answer/{template}",
            max_output=question.max_output,
            draw=question.draw,
            correction=question.correction,
            question=question.input,
            labels=labels,
            evidence=bool(question.parts.fixed),
            parts=question.parts,
            demos=question.demos,
        )
    except Unusable as fault:
        if fault.reason in _ANSWER_FAULTS:
            raise Rejection("answer", fault.reason, fault.problem) from fault
        raise
