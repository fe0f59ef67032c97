"""Records in the shape of the seed file they grew from: its columns, their order, its way to give options.

What a column holds follows from the roles that the seeds were read by (`SeedOrigin`). How it holds it (letters
or texts, lists or separated text) follows from the first row of the seed file. A column that is no part of the
example gets what the record's `meta` has under its name; one that was made of a seed's content is made anew where it is
a text around the example, and left out of the row where it is not.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import read_draft
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters.chat_style import ChatStyle
from aide.records import ASSISTANT, SYSTEM, USER, Draft, Turn, find_varying_name, read_varying, replace
from aide.seeds import LoadedSeeds, load_seeds
from aide.seeds.chat_rows import TURNS
from aide.seeds.chats import is_turn_list, parse_cell, read_transcript
from aide.seeds.column_names import IDS, KNOWN
from aide.seeds.files import read_files
from aide.seeds.parts import make_part_name
from aide.seeds.spans import write_spans, write_squad_answer, write_tokens
from aide.seeds.thoughts import split_thoughts, wrap_like
from aide.seeds.values import read_options, read_text_value
from aide.text.programming import split_fence
from aide.text.structure import Structure, imitate_layout, read_fenced_structure, read_structure

_LETTERED: Final = re.compile(r"\A(\(?)([A-Za-z]|\d)([).:]\s*)(?=\S)")
_SEPARATOR: Final = re.compile(r"\s*(?:\n|\||;)\s*")
_TURNED: Final = (*TURNS, "prompt", "completion", "chosen")
_PLAIN: Final[Mapping[str, Callable[[Draft], Any]]] = {
    "target_scores": lambda draft: {option: int(option == draft.output) for option in draft.choices},
    "target": lambda draft: draft.output,
    "reasoning": lambda draft: draft.thoughts or draft.reasoning,
    "thoughts": lambda draft: draft.thoughts or draft.reasoning,
}
_MARKED: Final = ("squad", "spans", "tokens", "tags")
_PLACED: Final = re.compile(r"(choice|input) (\d+)")


@dataclass(frozen=True, slots=True)
class SeedShape:
    """How one row of a seed file is made from a record."""

    loaded: LoadedSeeds
    sample: Mapping[str, Any]
    """The first row of the seed file."""
    options: tuple[str, ...]
    """The options of that row."""
    letters: tuple[str, ...]
    """What its options are called by."""
    kept: tuple[str, ...]
    """Columns of fixed parts that the person named."""
    labels: tuple[str, ...]
    """All labels, where the person named them."""
    style: ChatStyle
    """How turns are written, where some column holds turns."""

    @classmethod
    def learn(cls, named: NamedSeeds) -> "SeedShape":
        """The shape of these seed files, from their first row.

        Raises:
            InputError: they can't be read as seeds.
        """
        loaded = load_seeds(named.paths, replace(named.mapping, unanswered=True))
        known = KNOWN | {column.casefold() for column in loaded.origin.roles.values()}
        rows = [
            row
            for table in read_files(
                named.paths,
                named.mapping.encoding,
                tuple(known),
                header=named.mapping.header,
                sheet=named.mapping.sheet,
            )
            for _, row in table.rows
        ]
        # Rows of other columns may stand before it, if the person lets bad lines be skipped.
        sample = next(row for row in rows if tuple(row) == loaded.origin.columns)
        options, letters = _read_sample_options(sample, loaded.origin.roles)
        turned = [column for role, column in loaded.origin.roles.items() if role in _TURNED]
        style = ChatStyle.learn(row.get(column) for row in rows for column in turned)
        kept, labels = tuple(named.mapping.keep), tuple(named.mapping.label_names)
        return cls(loaded, sample, options, letters, kept, labels, style)

    def make_row(self, line: RecordLine) -> dict[str, Any]:
        """The record as a row of the seed file.

        Raises:
            InputError: the record does not fit it; the message names the line.
        """
        draft = read_draft(line)
        if not draft.choices and draft.output in self.options:
            draft = replace(draft, choices=self.options)  # labels are options of every seed, but of no record
        cells = dict(self._fill_cells(line, draft))
        made = {column: template.fill(cells) for column, template in self.loaded.templates.items()}
        cells |= {column: text for column, text in made.items() if text is not None}
        return {
            column: cells[column] if column in cells else self._find_meta(column, line)
            for column in self.columns
            if column in cells or not self._lacks(column, line)
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table of new rows, in order."""
        gone = {*self.loaded.left_out} - {*self.loaded.templates}
        return tuple(column for column in self.loaded.origin.columns if column not in gone)

    def _lacks(self, column: str, line: RecordLine) -> bool:
        """True when the column told of a seed alone and nothing can be said of this record in its place."""
        return column in self.loaded.left_out and column not in (line.record.get("meta") or {})

    def _fill_cells(self, line: RecordLine, draft: Draft) -> Iterator[tuple[str, Any]]:
        parts = line.record.get("parts") or {}
        for role, column in self.loaded.origin.roles.items():
            if place := _PLACED.fullmatch(role):
                yield column, self._read_place(place[1], int(place[2]), line, draft, column)
            elif role in ("context", "context 2"):
                yield column, _imitate(self.sample.get(column), str(parts.get(make_part_name(column), "")))
            elif role in _MARKED:
                yield column, self._write_marked(role, column, line, draft)
            elif role in _PLAIN:
                yield column, _PLAIN[role](draft)
            elif role == "evidence":
                yield column, (line.record.get("meta") or {}).get("evidence", "")
            else:
                yield column, self._write_role(role, line, draft, self.sample.get(column))
        for column in self.kept:
            if make_part_name(column) in parts:
                yield column, parts[make_part_name(column)]

    def _write_marked(self, role: str, column: str, line: RecordLine, draft: Draft) -> Any:
        """Passages, tokens or their tags, or an answer with its place in the context."""
        value, sample = read_structure(draft.output), self.sample.get(column)
        if role == "squad":
            context = self.loaded.origin.roles["context"]
            parts = line.record.get("parts") or {}
            return write_squad_answer(str(parts.get(make_part_name(context), "")), value)
        if not isinstance(value, list):
            raise InputError(f"{line.where}: its output is no list of passages")
        if role == "spans":
            return write_spans(sample, value)
        names, known = self.labels, self.sample[self.loaded.origin.roles["tags"]]
        numbered = any(isinstance(tag, int) for tag in known)
        tokens, tags = write_tokens(draft.input, value, [names[tag] for tag in known] if numbered else known)
        if role == "tokens":
            return tokens
        if numbered and (unknown := [tag for tag in tags if tag not in names]):
            raise InputError(
                f"{line.where}: its tag {unknown[0]} is none of --labels", hint="name all tags there"
            )
        return [names.index(tag) for tag in tags] if numbered else tags

    def _write_role(self, role: str, line: RecordLine, draft: Draft, sample: Any) -> Any:
        """A cell, written in the way of the seed file's first row."""
        match role:
            case "input":
                return _imitate(sample, self._read_input(line, draft))
            case "instruction":
                return self._last_turn(draft) or self.loaded.sentence or draft.input
            case "output":
                return self._write_output(line, draft, sample)
            case "choices":
                return _write_choices(sample, draft.choices)
            case "tests":
                return list(draft.tests) if isinstance(sample, list) else "\n".join(draft.tests)
        return _as_cell(sample, self._write_chat(role, draft, sample))

    def _last_turn(self, draft: Draft) -> str:
        """What the user said last, of a chat whose earlier turns have a column of their own; else nothing."""
        if "history" not in self.loaded.origin.roles and SYSTEM not in self.loaded.origin.roles:
            return ""
        return next((turn.content for turn in reversed(draft.turns) if turn.role == USER), "")

    def _read_input(self, line: RecordLine, draft: Draft) -> str:
        """The whole input, or the varying part if the parts have columns of their own.

        Beside Alpaca's instruction it is empty, unless the seeds have one instruction in common.
        """
        if "instruction" in self.loaded.origin.roles and (draft.turns or not self.loaded.sentence):
            return ""
        apart = "context" in self.loaded.origin.roles or self.kept
        return read_varying(line.record) if apart and find_varying_name(line.record) else draft.input

    def _read_place(self, kind: str, place: int, line: RecordLine, draft: Draft, column: str) -> str:
        """The text of one of several columns of options, or of several that were joined to the input."""
        if kind == "choice":
            return draft.choices[place - 1] if place <= len(draft.choices) else ""
        names = [name for role, name in self.loaded.origin.roles.items() if role.startswith("input ")]
        if len(names) == 1:
            return draft.input
        ahead = "|".join(re.escape(name) for name in names)
        found = re.search(
            rf"^{re.escape(column)}: (.*?)(?=\n(?:{ahead}): |\Z)", draft.input, re.DOTALL | re.MULTILINE
        )
        if not found:
            raise InputError(f"{line.where}: its input has no {column}, which the seed file has a column for")
        return found[1]

    def _write_output(self, line: RecordLine, draft: Draft, said: Any) -> Any:
        """The output, behind what led to it where it stands so in the seeds."""
        output = self._write_answer(line, draft, split_thoughts(said)[1])
        if isinstance(said, str) and isinstance(output, str) and (fence := split_fence(said)[0]):
            output = output if output.startswith("```") else f"{fence}\n{output}\n```"
        led = draft.thoughts or draft.reasoning
        return wrap_like(said, led, output) if isinstance(output, str) else output

    def _write_answer(self, line: RecordLine, draft: Draft, said: Any) -> Any:
        """The output; if the seeds name the correct option by its letter or position, so does this."""
        if not self.options or not draft.choices:
            value = read_structure(draft.output)
            return (
                _imitate(said, draft.output)
                if value is None
                else self._write_structure(said, value, draft.output)
            )
        if draft.output not in draft.choices:
            raise InputError(f"{line.where}: its output is none of its choices")
        place = draft.choices.index(draft.output)
        # A number that is one of the options is the option itself, as in arithmetic.
        if isinstance(said, int) and not isinstance(said, bool) and str(said) not in self.options:
            return place
        text = read_text_value(said)
        if text in self.options:
            return draft.output
        if text in self.letters and place < len(self.letters):
            return self.letters[place]
        if text.isdecimal():
            return str(place)
        # Only the letter is replaced, so that "(B)", "b." and "Answer: B" keep their form.
        letter = re.search(r"[A-Ja-j]", text)
        if letter is None:
            return draft.output
        mark = chr((65 if letter[0].isupper() else 97) + place)
        prefix = _LETTERED.match(text)
        if prefix and prefix.end() < len(text):
            return f"{prefix[1]}{mark}{prefix[3]}{draft.output}"
        return text[: letter.start()] + mark + text[letter.end() :]

    def _write_structure(self, said: Any, value: Structure, output: str) -> Any:
        """A JSON value as the seed file has its own: as a value, as text in the same layout, or as separated labels."""
        separator = self.loaded.origin.separator
        if separator and isinstance(value, list):
            space = " " if separator in ",;" else ""
            spaced = f" {separator} " if f" {separator} " in str(said) else f"{separator}{space}"
            return spaced.join(map(str, value))
        if not isinstance(said, str):
            return value
        return imitate_layout(said, value) if read_fenced_structure(said) is not None else output

    def _write_chat(self, role: str, draft: Draft, sample: Any) -> Any:
        """A cell of a chat: turns as the seeds write them, functions, the system prompt, what was said before."""
        roles, turns = self.loaded.origin.roles, self._list_turns(draft)
        if role == SYSTEM:
            return turns[0].content if turns[0].role == SYSTEM else ""
        if role == "tools":
            return list(map(json.loads, draft.tools))
        if SYSTEM in roles and turns[0].role == SYSTEM:
            turns = turns[1:]  # it has a column of its own
        if role == "history":
            before = turns[:-2]
            return [
                [asked.content, said.content] for asked, said in zip(before[::2], before[1::2], strict=True)
            ]
        if "prompt" in roles and role in ("completion", "chosen"):
            last = self.style.write(turns)[-1:]
            if not isinstance(sample, str) or is_turn_list(parse_cell(sample)):
                return last
            return wrap_like(sample, draft.thoughts, draft.output)
        return self.style.write(turns[:-1] if role == "prompt" else turns)

    def _list_turns(self, draft: Draft) -> list[Turn]:
        """All turns of a record, a system prompt first where there is one."""
        answer = Turn(ASSISTANT, draft.output)
        turns = draft.turns or (*(read_transcript(draft.input) or (Turn(USER, draft.input),)), answer)
        turns = (*turns[:-1], replace(turns[-1], thoughts=draft.thoughts or draft.reasoning))
        own = turns[0].role == SYSTEM
        system = "" if own else draft.system or self._system
        return [Turn(SYSTEM, system), *turns] if system else list(turns)

    @property
    def _system(self) -> str:
        """The system prompt that all seeds share; empty where there is none."""
        return next((seed.draft.system for seed in self.loaded.seeds), "")

    def _find_meta(self, column: str, line: RecordLine) -> Any:
        """The value of a column that is no part of the example."""
        record = line.record
        if column in IDS:
            return record.get("id")
        meta = record.get("meta") or {}
        return meta[column] if column in meta else record.get(column)


def _as_cell(sample: Any, value: Any) -> Any:
    """A list as the column has it: a table has no lists, so they stand in it as JSON."""
    written = isinstance(sample, str) and isinstance(value, list)
    return json.dumps(value, ensure_ascii=False) if written else value


def _read_sample_options(
    sample: Mapping[str, Any], roles: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options of the first row, and what they are called by."""
    columns = [column for role, column in roles.items() if role.startswith("choice ")]
    if columns:
        return tuple(read_text_value(sample[column]) for column in columns), tuple(columns)
    if "choices" in roles:
        return read_options(sample[roles["choices"]])
    return (), ()


def _write_choices(sample: Any, choices: Sequence[str]) -> Any:
    """Options in the form of the sample: a list, an object by letter, text and label, or separated text."""
    letters = [chr(65 + place) for place in range(len(choices))]
    if isinstance(sample, Mapping) and isinstance(sample.get("text"), list):
        labels = list(sample.get("label") or ())
        return {"text": list(choices), "label": labels if len(labels) == len(choices) else letters}
    if isinstance(sample, Mapping):
        names = list(sample) if len(sample) == len(choices) else letters
        return dict(zip(names, choices, strict=True))
    if isinstance(sample, str):
        found = _SEPARATOR.search(sample)
        return (found[0] if found else "\n").join(_add_marks(_SEPARATOR.split(sample.strip()), choices))
    return _add_marks([read_text_value(each) for each in sample], choices)


def _add_marks(sample: Sequence[str], choices: Sequence[str]) -> list[str]:
    """Options with letters in front, if those of the sample have them."""
    # One option may begin with "A." by chance; all of them don't.
    marks = [_LETTERED.match(each) for each in sample]
    first = marks[0] if marks else None
    if len(marks) < 2 or first is None or not all(marks):
        return list(choices)
    start = ord(first[2])
    return [f"{first[1]}{chr(start + place)}{first[3]}{choice}" for place, choice in enumerate(choices)]


def _imitate(sample: Any, text: str) -> Any:
    """A text as a value of the sample's type: a number stays a number, a list a list."""
    if isinstance(sample, bool | int | float):
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, bool | int | float) else text
    if isinstance(sample, list) and sample:
        return [_imitate(sample[0], text)]
    if isinstance(sample, Mapping) and "text" in sample:
        return {"text": _imitate(sample["text"], text)}
    return text
