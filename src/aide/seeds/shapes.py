"""Shapes of a row: which field is the input, which the output, and what stands beside them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from aide.parsing import clean_text

INPUTS: Final = (
    "input", "question", "prompt", "text", "sentence", "utterance", "query", "problem", "instruction",
    "message", "ticket", "review", "content", "source_text",
)  # fmt: skip
OUTPUTS: Final = (
    "output", "answer", "completion", "response", "target", "label_text", "label", "intent", "category",
    "class", "sentiment", "answerkey", "answer_key", "correct_answer", "correct", "answers", "solution",
    "code", "canonical_solution", "chosen", "reply", "expected_output", "expected", "answer_idx", "gold",
    "summary",
)  # fmt: skip
CHOICES: Final = ("choices", "options", "candidates", "multiple_choice_targets")
CONTEXTS: Final = (
    "context",
    "contract",
    "passage",
    "document",
    "article",
    "paragraph",
    "clause",
    "story",
    "table",
)
TESTS: Final = ("tests", "test_list", "test_cases", "test")
WORKINGS: Final = ("reasoning", "solution", "rationale", "explanation", "cot")
IDS: Final = ("id", "_id", "uid", "uuid", "qid", "question_id")
LETTERS: Final = (("a", "b", "c", "d", "e"), *(tuple(f"{stem}{n}" for n in mark) for stem, mark in (
    ("option_", "abcde"), ("option", "abcde"), ("op", "abcde"), ("choice_", "abcde"), ("choice", "12345"),
    ("option", "12345"), ("option_", "12345"),
)))  # fmt: skip
KNOWN: Final = frozenset((*INPUTS, *OUTPUTS, *CHOICES, *CONTEXTS, *TESTS, "messages", "conversations"))

_LETTERED: Final = re.compile(r"\A\(?([A-Ja-j])[).:]\s*(?=\S)")
_LETTER: Final = re.compile(r"\A\W*([A-Ja-j])\W*\Z")
_ASSISTANT: Final = frozenset({"assistant", "gpt", "bot", "model", "chatgpt", "bing", "bard"})
_SYSTEM: Final = frozenset({"system", "developer"})


class BadRowError(ValueError):
    """A row that is no example; its text is a clause that follows "line N"."""


@dataclass(slots=True)
class RowContent:
    """What a row says. `roles` names the column of each role; `preamble` is an instruction, maybe common."""

    input: str
    output: str
    choices: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    reasoning: str = ""
    evidence: str = ""
    preamble: str = ""
    fixed: tuple[tuple[str, str], ...] = ()
    varying: str = "input"
    roles: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=256)
def _folded(names: tuple[str, ...]) -> dict[str, str]:
    return {name.strip().casefold().replace(" ", "_"): name for name in reversed(names)}


class RowFields:
    """A row, its fields found whatever their case; `names` leads from the folded name to the real one."""

    __slots__ = ("names", "row")

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.names = _folded(tuple(row))

    def first(self, wanted: Sequence[str], *but: str) -> str:
        """The real name of the first of these fields that is there and not `None`, empty where none is."""
        for name in wanted:
            real = self.names.get(name)
            if real is not None and real not in but and self.row[real] is not None:
                return real
        return ""

    def exact(self, name: str) -> Any:
        """The value of a field that a person named, dots leading into objects; raises `BadRowError`."""
        value: Any = self.row
        for step in [name] if name in self.row else name.split("."):
            if not isinstance(value, Mapping) or value.get(step) is None:
                raise BadRowError(f"has no field {name!r}; it has {', '.join(self.row) or 'none'}")
            value = value[step]
        return value


def read_text_value(value: Any) -> str:
    """A field's value as text: chat turns joined, lists opened, numbers and booleans as JSON writes them."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping) and isinstance(value.get("text"), str | list):
        return read_text_value(value["text"])
    if isinstance(value, list) and value:
        if all(isinstance(turn, Mapping) and _role(turn) for turn in value):
            return _dialogue(value)
        if all(isinstance(part, Mapping) and "text" in part for part in value):
            return clean_text("".join(str(part["text"]) for part in value))
        return read_text_value(value[0])
    return ""


def read_content(fields: RowFields, input: str, output: str, choices: str = "") -> RowContent:
    """The content of a row whose input, output and options stand in these columns; raises `BadRowError`."""
    row = fields.row
    options, letters = read_options(row[choices]) if choices else ((), ())
    said = row[output]
    content = RowContent(
        read_text_value(row[input]),
        resolve_option(options, letters, said) if options else read_text_value(said),
        options,
    )
    content.roles = {"input": input, "output": output, **({"choices": choices} if choices else {})}
    return add_extras(fields, content)


def add_extras(fields: RowFields, content: RowContent) -> RowContent:
    """Add what stands beside input and output: tests, working, evidence; `BadRowError` on an empty half."""
    if not content.input:
        raise BadRowError("has an empty input")
    if not content.output:
        raise BadRowError("has an empty output")
    roles = dict(content.roles)
    used = tuple(roles.values())
    if tests := fields.first(TESTS, *used):
        value = fields.row[tests]
        content.tests = tuple(
            clean_text(str(test)) for test in (value if isinstance(value, list) else [value]) if test
        )
        roles["tests"] = tests
    if (working := fields.first(WORKINGS, *used)) and isinstance(fields.row[working], str):
        content.reasoning = clean_text(fields.row[working])
        roles["reasoning"] = working
    if (quote := fields.names.get("evidence")) and isinstance(fields.row[quote], str):
        content.evidence = clean_text(fields.row[quote])
        roles["evidence"] = quote
    content.roles = roles
    return content


def read_options(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options and their letters, from a list, `{"A": …}`, `{"text": […], "label": […]}` or separated text."""
    letters: tuple[str, ...] = ()
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), list):
            letters, value = tuple(str(label) for label in value.get("label", ())), value["text"]
        else:
            letters, value = tuple(str(key) for key in value), list(value.values())
    if isinstance(value, str):
        value = re.split(r"\s*(?:\n|\||;)\s*", value.strip())
    if not isinstance(value, list):
        raise BadRowError("has options that are no list")
    options = [read_text_value(option) for option in value]
    if len(options) > 1 and all(_LETTERED.match(option) for option in options):
        options = [_LETTERED.sub("", option) for option in options]
    return tuple(options), letters


def resolve_option(options: Sequence[str], letters: Sequence[str], said: Any) -> str:
    """The option that a text, a letter or a place names; raises `BadRowError` where it is not exactly one."""
    if isinstance(said, int) and not isinstance(said, bool) and str(said) not in options:
        if not 0 <= said < len(options):
            raise BadRowError(f"has the output {said}, but {len(options)} options counted from 0")
        return options[said]
    text = read_text_value(said)
    if options.count(text) == 1 and text:
        return text
    if text in options:
        raise BadRowError("has its output twice among the options")
    if text in letters:
        return options[letters.index(text)]
    bare = _LETTERED.sub("", text)
    alike = [option for option in options if option.casefold() == bare.casefold()]
    if len(alike) == 1:
        return alike[0]
    letter = _LETTER.match(text)
    place = ord(letter[1].upper()) - 65 if letter else int(text) if text.isdecimal() else -1
    if 0 <= place < len(options):
        return options[place]
    raise BadRowError("has an output that is none of its options")


def _role(turn: Mapping[str, Any]) -> str:
    role = turn.get("role") or turn.get("from") or ""
    return role.casefold() if isinstance(role, str) else ""


def _words(turn: Mapping[str, Any]) -> str:
    value = turn.get("content") if "content" in turn else turn.get("value", turn.get("text"))
    return read_text_value(value)


def _dialogue(turns: Sequence[Mapping[str, Any]]) -> str:
    """One user turn as it is; several turns with their speakers in front."""
    turns = [turn for turn in turns if _words(turn) and _role(turn) not in _SYSTEM]
    if len(turns) == 1:
        return _words(turns[0])
    return "\n".join(
        f"{'Assistant' if _role(turn) in _ASSISTANT else 'User'}: {_words(turn)}" for turn in turns
    )


def _chat(column: str) -> Callable[[RowFields], RowContent]:
    def read(fields: RowFields) -> RowContent:
        name = fields.names[column]
        turns = fields.row[name]
        if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
            raise BadRowError(f"has {name} that are no list of turns")
        last = max((place for place, turn in enumerate(turns) if _role(turn) in _ASSISTANT), default=-1)
        if last < 0:
            raise BadRowError("has no turn of the assistant")
        content = RowContent(_dialogue(turns[:last]), _words(turns[last]), roles={column: name})
        content.preamble = "\n".join(_words(turn) for turn in turns[:last] if _role(turn) in _SYSTEM)
        return add_extras(fields, content)

    return read


def _scored(fields: RowFields) -> RowContent:
    name, input = fields.names["target_scores"], fields.first(INPUTS)
    scores = fields.row[name]
    if not isinstance(scores, Mapping) or not scores or not input:
        raise BadRowError("has no target_scores to choose from")
    best = [option for option, score in scores.items() if score == max(scores.values())]
    if len(best) > 1:
        raise BadRowError("has more than one right option in target_scores")
    roles = {"input": input, "target_scores": name}
    if target := fields.names.get("target"):
        roles["target"] = target
    options = tuple(clean_text(option) for option in scores)
    return add_extras(
        fields, RowContent(read_text_value(fields.row[input]), clean_text(best[0]), options, roles=roles)
    )


def _alpaca(fields: RowFields) -> RowContent:
    instruction, input = fields.names["instruction"], fields.names.get("input", "")
    output = fields.first(OUTPUTS, instruction, input)
    content = RowContent(
        read_text_value(fields.row[input]) if input else "", read_text_value(fields.row[output])
    )
    content.roles = {"instruction": instruction, **({"input": input} if input else {}), "output": output}
    asked = read_text_value(fields.row[instruction])
    content.input, content.preamble = (content.input, asked) if content.input else (asked, "")
    return add_extras(fields, content)


def _columns(fields: RowFields) -> tuple[str, ...]:
    """The columns that hold one option each, in order."""
    for letters in LETTERS:
        found = [fields.names[letter] for letter in letters if letter in fields.names]
        if len(found) > 2:
            return tuple(found)
    return ()


def _lettered(fields: RowFields) -> RowContent:
    columns = _columns(fields)
    input = fields.first(INPUTS, *columns)
    output = fields.first((*OUTPUTS, "cop", "key"), input, *columns)
    filled = [(column, read_text_value(fields.row[column])) for column in columns]
    options = tuple(text for _, text in filled if text)
    letters = tuple(column for column, text in filled if text)
    content = RowContent(
        read_text_value(fields.row[input]), resolve_option(options, letters, fields.row[output]), options
    )
    content.roles = {"input": input, "output": output, **{f"choice {n}": c for n, c in enumerate(columns, 1)}}
    return add_extras(fields, content)


def _context(fields: RowFields) -> RowContent:
    context = fields.first(CONTEXTS)
    content = _pair(fields)
    if fixed := read_text_value(fields.row[context]):
        content.fixed = ((context, fixed),)
        content.varying = content.roles["input"]
    content.roles = {**content.roles, "context": context}
    return content


def _pair(fields: RowFields) -> RowContent:
    input = fields.first(INPUTS)
    output = fields.first(OUTPUTS, input)
    return read_content(fields, input, output, fields.first(CHOICES))


def _six(fields: RowFields) -> RowContent:
    row = [read_text_value(value) for value in fields.row.values()]
    content = RowContent(row[0], resolve_option(row[1:-1], (), row[-1]), tuple(row[1:-1]))
    content.roles = {
        "input": "1",
        "output": str(len(row)),
        **{f"choice {n}": str(n + 1) for n in range(1, len(row) - 1)},
    }
    return add_extras(fields, content)


def _two(fields: RowFields) -> RowContent:
    return read_content(fields, "1", "2")


@dataclass(frozen=True, slots=True)
class RowShape:
    """A kind of row: its name as it is told to a person, whether a row is of it, and how it is read."""

    name: str
    fits: Callable[[RowFields], bool]
    read: Callable[[RowFields], RowContent]


def _has(*names: str) -> Callable[[RowFields], bool]:
    return lambda fields: all(name in fields.names for name in names)


def _numbered(width: int) -> Callable[[RowFields], bool]:
    return lambda fields: tuple(fields.row) == tuple(str(n) for n in range(1, width + 1))


def _is_pair(fields: RowFields) -> bool:
    input = fields.first(INPUTS)
    return bool(input and fields.first(OUTPUTS, input))


# The most telling first: every shape further down would misread those above it.
SHAPES: Final = (
    RowShape("chat messages", _has("messages"), _chat("messages")),
    RowShape("ShareGPT conversations", _has("conversations"), _chat("conversations")),
    RowShape("BIG-bench target_scores", _has("target_scores"), _scored),
    RowShape(
        "Alpaca (instruction, input, output)",
        lambda fields: (
            "instruction" in fields.names and bool(fields.first(OUTPUTS)) and "choices" not in fields.names
        ),
        _alpaca,
    ),
    RowShape(
        "a column an option, the answer by letter",
        lambda f: bool(_columns(f)) and bool(f.first(INPUTS)),
        _lettered,
    ),
    RowShape(
        "a text, a question about it, the answer",
        lambda fields: (
            bool(fields.first(CONTEXTS)) and bool(fields.first(("question", "query"))) and _is_pair(fields)
        ),
        _context,
    ),
    RowShape("input and output", _is_pair, _pair),
    RowShape("columns without names: question, four options, letter", _numbered(6), _six),
    RowShape("two columns without names", _numbered(2), _two),
)


def recognise_shape(fields: RowFields) -> RowShape:
    """The shape of a row; raises `BadRowError` that says which half is missing."""
    for shape in SHAPES:
        if shape.fits(fields):
            return shape
    missing = "output" if fields.first((*INPUTS, "instruction")) else "input"
    raise BadRowError(f"has no {missing}; its fields are {', '.join(fields.row) or 'none'}")
