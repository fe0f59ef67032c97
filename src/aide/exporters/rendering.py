"""A record as a trainer sees it: the user's turn, the assistant's turn, the system text before them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import infer_format, read_draft
from aide.errors import InputError
from aide.formats import FORMATS, Format, TaskCard
from aide.records import ASSISTANT, CONTENT, SYSTEM, USER, Draft, Turn, write_turns
from aide.seeds.chats import read_transcript
from aide.text.markers import wrap_thinking

ReasoningForm = Literal["", "think", "field", "drop"]
"""Where the reasoning of a record goes: in `<think>` marks before its answer, into a field of its own, or nowhere.

Empty is in marks where a model thought it, and written out before the result where it is a working.
"""
_HEADING: Final = re.compile(r"^# (system|user|assistant)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One example to learn from."""

    system: str
    """A text before the first turn, or nothing."""
    instruction: str
    """The beginning of the user's turn, or nothing."""
    body: str
    """The rest of the user's turn."""
    answer: str
    """The assistant's turn."""
    turns: tuple[Turn, ...] = ()
    """All turns of a chat, the answer the last; empty where user and assistant have one turn each."""
    tools: tuple[str, ...] = ()
    """Functions that may be called, each as JSON text."""
    reasoning: str = ""
    """What led to the answer, where it goes into a field of its own."""

    @property
    def user(self) -> str:
        """The whole turn of the user."""
        return "\n\n".join(filter(None, (self.instruction, self.body)))

    def list_turns(self) -> list[Turn]:
        """All turns, the system text first."""
        plain = (Turn(USER, self.user), Turn(ASSISTANT, self.answer, thoughts=self.reasoning))
        return [*([Turn(SYSTEM, self.system)] if self.system else []), *(self.turns or plain)]

    def messages(self) -> list[dict[str, Any]]:
        """The turns as OpenAI's chat API has them."""
        return write_turns(self.list_turns())

    def as_completions(self, *answers: str) -> tuple[Any, ...]:
        """The prompt and these answers as TRL has them: plain texts, or turns where these can't hold it.

        TRL joins plain texts as they are, so that the line break between them is the end of the prompt.
        """
        if not self.system and not self.turns and not self.reasoning:
            return f"{self.user}\n", *answers
        *prompt, last = self.messages()
        said = ({"role": ASSISTANT, "content": answer} for answer in answers)
        own = (last if answer == self.answer else each for answer, each in zip(answers, said, strict=True))
        return prompt, *([turn] for turn in own)


class ExampleRenderer:
    """How records become examples.

    Args:
        card: the task card, whose task (and labels, if they are fixed) is the default instruction.
        instruction: goes before each input.
        system: a system text.
        template: a file that replaces all of this. It has the headings `# user` and, if wanted, `# system` and
            `# assistant`; without headings it is the user's turn. Its Jinja2 knows `input`, `output`, `answer`,
            `instruction`, `choices`, `options` (lettered), `letter`, `labels`, `reasoning`, `tests`, `parts`,
            `system` and `record`.
        reasoning: where the reasoning of a record goes.

    Raises:
        InputError: the template can't be read or is broken.
    """

    def __init__(
        self,
        card: TaskCard | None = None,
        *,
        instruction: str | None = None,
        system: str = "",
        template: Path | None = None,
        reasoning: ReasoningForm = "",
    ) -> None:
        self.labels = card.label_names if card else ()
        self.card = card
        self._instruction = _choose_instruction(card, instruction)
        self._given = instruction or ""
        self._system = system
        self._template = template
        self.reasoning = reasoning
        self._turns = _load_template(template) if template else {}

    def example(self, line: RecordLine, *, thoughts: bool = True) -> TrainingExample:
        """The example that a line makes; without `thoughts` its answer alone, as two answers are compared.

        Raises:
            InputError: it has no input or output, or not exactly one correct option; the message names the line.
        """
        draft = read_draft(line)
        format = self.format(line, draft)
        options = format.list_options(draft)
        body = "\n".join([draft.input, "", *options]) if options else draft.input
        led, bare = self._part_reasoning(draft) if thoughts else ("", replace(draft, thoughts=""))
        marked = "" if self.reasoning == "field" else led
        answer = _mark(marked, render_answer(line, bare, format))
        field = "" if marked else led
        plain = TrainingExample(
            self._system or draft.system, self._instruction, body, answer, reasoning=field
        )
        if self._instruction == draft.system != "":  # the task is what the system prompt says
            plain = replace(plain, instruction="")
        if self._turns:
            return self._fill_template(line, draft, options, plain)
        if draft.turns:
            last = draft.turns[-1]
            own = replace(last, content=_mark(marked, last.content), thoughts=field)
            return self._make_chat(plain, draft, (*draft.turns[:-1], own))
        turns = read_transcript(draft.input) if not draft.choices else ()
        if turns:
            return self._make_chat(plain, draft, (*turns, Turn(ASSISTANT, answer, thoughts=field)))
        return plain

    def _make_chat(self, plain: TrainingExample, draft: Draft, turns: Sequence[Turn]) -> TrainingExample:
        """A chat with its turns; a given instruction goes before the first of the user's, a system text before all."""
        system = plain.system
        if not draft.turns:  # the instruction of such a task was its system prompt
            system = system or plain.instruction
        elif self._system and turns[0].role == SYSTEM:
            turns = turns[1:]
        if self._given and draft.turns:
            first = next(place for place, turn in enumerate(turns) if turn.role == USER)
            told = replace(turns[first], content=f"{self._given}\n\n{turns[first].content}")
            turns = [*turns[:first], told, *turns[first + 1 :]]
        answer = plain.answer if turns[-1].content == plain.answer else draft.output
        return TrainingExample(system, "", draft.input, answer, tuple(turns), draft.tools, plain.reasoning)

    def _part_reasoning(self, draft: Draft) -> tuple[str, Draft]:
        """What goes before the answer, and the draft of the answer itself."""
        if not self.reasoning and not draft.thoughts:
            return "", draft
        led = "" if self.reasoning == "drop" else draft.thoughts or draft.reasoning
        return led, replace(draft, reasoning="", thoughts="")

    def wrong(self, line: RecordLine, output: str) -> str:
        """The assistant's turn if `output` were the answer of the line."""
        draft = read_draft(line)
        return render_answer(line, Draft(draft.input, output, draft.choices), self.format(line, draft))

    def format(self, line: RecordLine, draft: Draft) -> Format:
        """The format that the line names, or else the card's, or else the one that its shape suggests."""
        if self.card and "format" not in line.record:
            return FORMATS[self.card.format]
        return infer_format(line.record, draft)

    def _fill_template(
        self, line: RecordLine, draft: Draft, options: Sequence[str], plain: TrainingExample
    ) -> TrainingExample:
        values: dict[str, Any] = {
            **{name: shape() for name, shape in CONTENT.items()},  # a template may name a field that is empty
            **draft.as_dict(),
            "answer": plain.answer,
            "instruction": plain.instruction,
            "options": list(options),
            "letter": plain.answer if options else "",
            "labels": list(self.labels),
            "parts": line.record.get("parts") or {},
            "system": plain.system,
            "record": line.record,
        }
        import jinja2

        try:
            made = {turn: template.render(values).strip() for turn, template in self._turns.items()}
        except jinja2.TemplateError as fault:
            raise InputError(f"{self._template}: {fault.message} ({line.where})") from fault
        system, answer = made.get("system", plain.system), made.get("assistant", plain.answer)
        return TrainingExample(system, "", made["user"], answer, reasoning=plain.reasoning)


def _mark(thoughts: str, said: str) -> str:
    """The answer behind the thoughts in marks, where there are any."""
    return wrap_thinking("", thoughts, said) if thoughts else said


def render_answer(line: RecordLine, draft: Draft, format: Format) -> str:
    """What the assistant says: a letter, a label, code, or the worked solution with its final answer.

    Raises:
        InputError: the output is not exactly one of the options.
    """
    try:
        return format.render_for_training(draft)
    except ValueError as fault:
        raise InputError(f"{line.where}: {fault}") from fault


def _choose_instruction(card: TaskCard | None, given: str | None) -> str:
    if given is not None or card is None:
        return given or ""
    labels = [
        f"- {each.name}: {each.description}" if each.description else f"- {each.name}" for each in card.labels
    ]
    return "\n".join(filter(None, (card.task, *labels)))


def _load_template(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"the template {path} can't be read: {fault}") from fault
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    before, *pieces = _HEADING.split(text)
    turns = dict(zip(pieces[::2], pieces[1::2], strict=True)) if pieces else {"user": text}
    if "user" not in turns or (pieces and before.strip()):
        raise InputError(f"the template {path} has no user's turn", hint="begin it with the line: # user")
    environment = ImmutableSandboxedEnvironment(  # plain text for a trainer, never HTML
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    try:
        return {turn: environment.from_string(source) for turn, source in turns.items()}
    except jinja2.TemplateSyntaxError as fault:
        raise InputError(f"the template {path} is broken: {fault.message}") from fault
