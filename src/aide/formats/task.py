"""What a task is, as prompts and checks read it: the card, its labels and topics, an example, a question."""

from dataclasses import dataclass

from aide.records import WHOLE, Correction, Draft, Parts


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a fixed set, and what it means."""

    name: str
    description: str = ""
    near: tuple[str, ...] = ()
    """The one or two other labels that are most easily taken for it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One matter that inputs of a task are about."""

    name: str
    share: int = 2
    """How common it is among all inputs, from 1 for rare to 5 for very common."""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """What is asked, in which form, and within which bounds: read by every prompt and every check.

    The fields down to `register` are described by a model or a person, as are topics and what labels mean; the rest is
    counted from the seeds, and so is the language where a detector is sure of it.
    """

    task: str = ""
    """What is given and what has to be answered; a person's own words where there are any."""
    source: str = ""
    """From whom or where such inputs come: a phrase that follows "They come from", without a full stop."""
    hard: str = ""
    """What makes an input hard or tricky; empty where nothing does."""
    language: str = ""
    language_code: str = ""
    locale: str = ""
    answer_form: str = ""
    register: str = ""
    format: str = "free_text"
    varying: str = "input"
    fixed: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    topics: tuple[Topic, ...] = ()
    """What the whole data set is about, of which the seeds are a sample; empty where labels or fixed parts say it."""
    options: int = 0
    min_words: int = 1
    """Least length of an input, in `unit`."""
    max_words: int = 400
    unit: str = "words"
    """`words`, or `characters` for scripts that put no spaces between words."""
    convention: str = ""
    """How an answer ends, such as `#### <number>`; empty where the seeds end in no common way."""
    bare: bool = False
    """True when the seeds' outputs are nothing but that ending."""
    code: str = ""
    """Programming language of the outputs, where the seeds show it."""
    schema: str = ""
    """JSON Schema of the outputs as JSON text, where they are JSON."""
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
    """An input that wants its answer."""

    id: str
    """Seeds whatever is shuffled."""
    input: str
    parts: Parts = WHOLE
    label: str | None = None
    """The intended label, where a hop carries one. It decides about agreement and is never shown."""
    demos: tuple[Demonstration, ...] = ()
    max_output: int = 1024
    """Tokens of the completion."""
    correction: Correction | None = None
    """An answer that was wrong, and why."""
    draw: int = 0
    """Above 0: a further answer to the same question."""
    chat: Draft | None = None
    """The conversation that wants its next turn, where the question is one."""
    wants_call: bool = False
    """Whether that turn calls functions instead of saying something."""
