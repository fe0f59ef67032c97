"""A record as a trainer sees it: the user's turn, the assistant's turn, the system text before them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import infer_format, read_draft
from aide.errors import InputError
from aide.formats import FORMATS, Format, TaskCard
from aide.records import ASSISTANT, CONTENT, SYSTEM, USER, Draft, Turn, write_turns
from aide.seeds.chats import read_transcript

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

    @property
    def user(self) -> str:
        """The whole turn of the user."""
        return "\n\n".join(filter(None, (self.instruction, self.body)))

    def list_turns(self) -> list[Turn]:
        """All turns, the system text first."""
        plain = (Turn(USER, self.user), Turn(ASSISTANT, self.answer))
        return [*([Turn(SYSTEM, self.system)] if self.system else []), *(self.turns or plain)]

    def messages(self) -> list[dict[str, Any]]:
        """The turns as OpenAI's chat API has them."""
        return write_turns(self.list_turns())

    def as_completions(self, *answers: str) -> tuple[Any, ...]:
        """The prompt and these answers as TRL has them: plain texts, or turns where there are more than two."""
        if not self.system and not self.turns:
            return self.user, *answers
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
    ) -> None:
        self.labels = card.label_names if card else ()
        self.card = card
        self._instruction = _choose_instruction(card, instruction)
        self._given = instruction or ""
        self._system = system
        self._template = template
        self._turns = _load_template(template) if template else {}

    def example(self, line: RecordLine) -> TrainingExample:
        """The example that a line makes.

        Raises:
            InputError: it has no input or output, or not exactly one correct option; the message names the line.
        """
        draft = read_draft(line)
        format = self.format(line, draft)
        options = format.list_options(draft)
        body = "\n".join([draft.input, "", *options]) if options else draft.input
        answer = render_answer(line, draft, format)
        plain = TrainingExample(self._system or draft.system, self._instruction, body, answer)
        if self._instruction == draft.system != "":  # the task is what the system prompt says
            plain = replace(plain, instruction="")
        if not self._turns and (turns := draft.turns or self._read_transcript(draft, answer)):
            return self._make_chat(plain, draft, turns)
        return self._fill_template(line, draft, options, plain) if self._turns else plain

    def _read_transcript(self, draft: Draft, answer: str) -> tuple[Turn, ...]:
        """The turns of a chat that is written as one text, as records of version 0.1 have it."""
        turns = read_transcript(draft.input) if not draft.choices else ()
        return (*turns, Turn(ASSISTANT, answer)) if turns else ()

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
        return TrainingExample(system, "", draft.input, draft.output, tuple(turns), draft.tools)

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
        return TrainingExample(system, "", made["user"], answer)


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
