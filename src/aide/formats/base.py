"""What every format shares: the task card, a question, the protocol, and the one way to ask for an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from aide.errors import Rejection, Unusable
from aide.records import WHOLE, Ask, Correction, Draft, Parts, Payload
from aide.registry import Registry

V = TypeVar("V")

# Reasons that are the format's own: after the one re-ask they reject the record under these words.
_OURS: Final = frozenset({"broken_format", "evidence_missing"})


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a fixed set, and what it means."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """What is asked, in which form, and within which bounds: read by every prompt and every check.

    The first six fields are described by a model or a person, the rest is counted from the seeds. `min_words`
    and `max_words` bound an input, in `unit`. `convention` is how an answer ends, such as `#### <number>`;
    `bare` says that the seeds' outputs are nothing but that ending. `code` is the programming language of the
    outputs where it could be told. The last two bound completions, in tokens.
    """

    task: str = ""
    language: str = ""
    language_code: str = ""
    locale: str = ""
    answer_form: str = ""
    register: str = ""
    format: str = "free_text"
    varying: str = "input"
    fixed: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    options: int = 0
    min_words: int = 1
    max_words: int = 400
    unit: str = "words"
    convention: str = ""
    bare: bool = False
    code: str = ""
    max_input_tokens: int = 1024
    max_answer_tokens: int = 1024

    @property
    def label_names(self) -> tuple[str, ...]:
        """The label strings, in the card's order."""
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One of D_T as a prompt shows it: the varying part, the rendered answer, the quoted evidence."""

    input: str
    answer: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """An input that wants its answer.

    `id` seeds whatever is shuffled. `label` is the intended one where a hop carries it; it decides about
    agreement and is never shown. `max_output` is in tokens. `correction` tells of an answer that was wrong,
    `draw` above 0 asks for a further one.
    """

    id: str
    input: str
    parts: Parts = WHOLE
    label: str | None = None
    demos: tuple[Demonstration, ...] = ()
    max_output: int = 1024
    correction: Correction | None = None
    draw: int = 0


class Format(Protocol):
    """How the output of a task is found, asked for, checked and shown."""

    @property
    def name(self) -> str:
        """The word of `records.FORMATS`."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether every output is one of a fixed set of labels."""
        ...

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """Whether these examples are of this format by their shape."""
        ...

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The question with its answer, checked.

        Raises:
            errors.Rejection: step `answer`, reason `broken_format`, `evidence_missing` or `label_mismatch`.
            errors.NodeError: where the model gave nothing usable.
        """
        ...

    def check(self, draft: Draft, card: TaskCard) -> str:
        """One sentence that says what breaks the format, for the model to mend; empty where nothing does."""
        ...

    def render(self, draft: Draft) -> str:
        """The answer as demonstrations and the judge see it."""
        ...


FORMATS: Final[Registry[Format]] = Registry("format")


class DraftPayload(Generic[V]):
    """A completion that becomes a draft: read by `inner`, built, and checked against the format.

    A fault found while building or checking is `Unusable`: it goes through the one re-ask of any other.
    """

    __slots__ = ("_build", "_check", "_inner", "name", "schema")

    def __init__(self, inner: Payload[V], build: Callable[[V], Draft], check: Callable[[Draft], str]) -> None:
        self.name = inner.name
        self.schema: Mapping[str, Any] | None = inner.schema
        self._inner = inner
        self._build = build
        self._check = check

    def read(self, text: str) -> Draft:
        """The checked draft; raises `Unusable`."""
        try:
            draft = self._build(self._inner.read(text))
        except Unusable as fault:
            raise Unusable(fault.reason, fault.problem, said=text) from fault
        if problem := self._check(draft):
            raise Unusable("broken_format", problem, said=text)
        return draft


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
        if fault.reason in _OURS:
            raise Rejection("answer", fault.reason, fault.problem) from fault
        raise
