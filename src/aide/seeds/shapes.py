"""Shapes of a row: which field is the input, which the output, and what stands beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final

from aide.records import Draft
from aide.seeds import chat_rows
from aide.seeds.chat_rows import ChatContent
from aide.seeds.column_names import CHOICES, CONTEXTS, INPUTS, LETTERS, OUTPUTS, PAIRS, TESTS, WORKINGS
from aide.seeds.spans import (
    find_spans,
    find_tokens,
    is_squad_answer,
    read_spans,
    read_squad_answer,
    read_tokens,
)
from aide.seeds.sql_rows import find_sql_columns
from aide.seeds.thoughts import THOUGHTS, split_thoughts
from aide.seeds.values import (
    BadRowError,
    MissingFieldError,
    is_missing,
    read_options,
    read_output,
    read_text_value,
    resolve_option,
)
from aide.text.cleaning import clean_text


@dataclass(frozen=True, slots=True)
class RowContent:
    """What a row says."""

    draft: Draft
    roles: Mapping[str, str]
    """The column of each role: `input`, `output`, `choices`, `choice 1`, `tests`, …"""
    preamble: str = ""
    """An instruction before the input: the task's where all rows have the same, else part of the input."""
    fixed: tuple[tuple[str, str], ...] = ()
    """Parts that stay as they are, with their names."""
    varying: str = "input"


@lru_cache(maxsize=256)
def _fold(names: tuple[str, ...]) -> dict[str, str]:
    # Reversed, so that of `Text` and `text` the first column wins.
    return {name.strip().casefold().replace(" ", "_"): name for name in reversed(names)}


class RowFields:
    """A row, its fields found whatever their case; `names` leads from the folded name to the real one."""

    __slots__ = ("names", "row")

    def __init__(self, row: Mapping[str, Any]) -> None:
        # JSON has no NaN, and a column of numbers with gaps is full of it.
        self.row: Mapping[str, Any] = {
            name: None if isinstance(value, float) and is_missing(value) else value
            for name, value in row.items()
        }
        self.names = _fold(tuple(row))

    def find(self, wanted: Sequence[str], *but: str) -> str:
        """The real name of the first of these fields that is there and not `None`, empty where none is."""
        for name in wanted:
            real = self.names.get(name)
            if real is not None and real not in but and self.row[real] is not None:
                return real
        return ""

    def get(self, name: str) -> Any:
        """The value of a field that a person named, dots leading into objects; raises `BadRowError`."""
        value: Any = self.row
        # A column may have a dot in its own name, which goes before a path.
        for step in [name] if name in self.row else name.split("."):
            if not isinstance(value, Mapping) or step not in value:
                raise MissingFieldError(name, list(self.row))
            if (value := value[step]) is None:
                raise BadRowError(f"has an empty {name}")
        return value

    def read_text(self, name: str) -> str:
        """The text of the field with this real name."""
        return read_text_value(self.row[name])

    def read_optional(self, name: str) -> str:
        """The text of a field that may be left empty, in whatever way that is written."""
        return "" if is_missing(self.row[name]) else self.read_text(name)


def make_content(
    fields: RowFields,
    roles: Mapping[str, str],
    input: str,
    said: Any,
    options: tuple[str, ...] = (),
    letters: Sequence[str] = (),
) -> RowContent:
    """The content of a row, together with the tests, the working and the evidence that stand beside it.

    `said` is the output; with `options`, which `letters` name in their order, it may be a letter or a place. `roles`
    are the columns that all this came from.

    Raises:
        BadRowError: a half is empty, or the output is none of the options.
    """
    thoughts, said = split_thoughts(said)
    output = resolve_option(options, letters, said) if options else read_output(said)
    if not input or not output:
        raise BadRowError(f"has an empty {'output' if input else 'input'}")
    roles, used = dict(roles), tuple(roles.values())
    tests: tuple[str, ...] = ()
    if column := fields.find(TESTS, *used):
        value = fields.row[column]
        listed = value if isinstance(value, list) else [value]
        tests, roles["tests"] = tuple(clean_text(str(test)) for test in listed if test), column
    texts = {"reasoning": "", "evidence": "", "thoughts": thoughts}
    for role, names in (("reasoning", WORKINGS), ("evidence", ("evidence",)), ("thoughts", THOUGHTS)):
        column = fields.find(names, *used)
        value = fields.row[column] if column else None
        if isinstance(value, str) and not is_missing(value):
            texts[role], roles[role] = clean_text(value), column
    if fields.row.get("thought") is True:  # a record of ours
        texts |= {"thoughts": texts["reasoning"], "reasoning": str(fields.row.get("working") or "")}
    draft = Draft(
        input, output, options, tests, texts["reasoning"], texts["evidence"], thoughts=texts["thoughts"]
    )
    return RowContent(draft, roles)


def _read_pair(fields: RowFields) -> RowContent:
    input = fields.find(INPUTS)
    output, choices = fields.find(OUTPUTS, input), fields.find(CHOICES)
    options, letters = read_options(fields.row[choices]) if choices else ((), ())
    roles = {"input": input, "output": output, **({"choices": choices} if choices else {})}
    return make_content(fields, roles, fields.read_text(input), fields.row[output], options, letters)


def _read_chat(column: str) -> Callable[[RowFields], RowContent]:
    return lambda fields: _make_chat_content(fields, chat_rows.read_chat_column(fields, column))


def _read_record_chat(fields: RowFields) -> RowContent:
    draft, roles = chat_rows.read_chat_column(fields, "turns")
    columns = {role: fields.names[role] for role in ("input", "output")}
    return _make_chat_content(fields, (draft, {**roles, **columns}))


def _make_chat_content(fields: RowFields, chat: ChatContent) -> RowContent:
    """A chat with what stands beside it; one that lacks its answer has an empty output."""
    draft, roles = chat
    if not draft.output:
        return RowContent(draft, roles)
    content = make_content(fields, roles, draft.input, draft.output)
    thoughts = draft.thoughts or content.draft.thoughts
    draft = replace(content.draft, turns=draft.turns, tools=draft.tools, thoughts=thoughts)
    return replace(content, draft=draft)


def _read_scored(fields: RowFields) -> RowContent:
    name, input = fields.names["target_scores"], fields.find(INPUTS)
    scores = fields.row[name]
    if not isinstance(scores, Mapping) or not scores or not input:
        raise BadRowError("has no target_scores to choose from")
    best = [option for option, score in scores.items() if score == max(scores.values())]
    if len(best) > 1:
        raise BadRowError("has more than one right option in target_scores")
    roles = {"input": input, "target_scores": name}
    if target := fields.names.get("target"):
        roles["target"] = target
    return make_content(fields, roles, fields.read_text(input), best[0], tuple(map(clean_text, scores)))


def _read_alpaca(fields: RowFields) -> RowContent:
    instruction, input = fields.names["instruction"], fields.names.get("input", "")
    output = fields.find(OUTPUTS, instruction, input)
    roles = {"instruction": instruction, **({"input": input} if input else {}), "output": output}
    asked, text = fields.read_text(instruction), fields.read_optional(input) if input else ""
    content = replace(
        make_content(fields, roles, text or asked, fields.row[output]), preamble=asked if text else ""
    )
    if not {"history", "system"} & fields.names.keys():
        return content
    whole = "\n".join(filter(None, (asked, text)))
    draft, more = chat_rows.read_history(fields, whole, content.draft.output)
    made = replace(content.draft, turns=draft.turns, tools=draft.tools)
    return replace(content, draft=made, roles={**content.roles, **more})


def _find_columns(fields: RowFields) -> tuple[str, ...]:
    """The columns that hold one option each, in order."""
    for letters in LETTERS:
        found = [fields.names[letter] for letter in letters if letter in fields.names]
        if len(found) > 2:  # columns A and B are as often two groups of a table as two options
            return tuple(found)
    return ()


def _read_lettered(fields: RowFields) -> RowContent:
    columns = _find_columns(fields)
    input = fields.find(INPUTS, *columns)
    output = fields.find((*OUTPUTS, "cop", "key"), input, *columns)
    if not input or not output:
        raise lack_field(fields, "output" if input else "input")
    filled = {column: text for column in columns if (text := fields.read_text(column))}
    if not filled:
        raise BadRowError(f"has nothing in its options {', '.join(columns)}")
    roles = {"input": input, "output": output, **{f"choice {n}": c for n, c in enumerate(columns, 1)}}
    said, options = fields.row[output], tuple(filled.values())
    return make_content(fields, roles, fields.read_text(input), said, options, tuple(filled))


def _read_context(fields: RowFields) -> RowContent:
    context = fields.find(CONTEXTS)
    content = _read_pair(fields)
    content = replace(content, roles={**content.roles, "context": context})
    if fixed := fields.read_optional(context):
        return replace(content, fixed=((context, fixed),), varying=content.roles["input"])
    return content


def _read_tokens(fields: RowFields) -> RowContent:
    tokens, tags = find_tokens(fields.row, fields.names)
    text, spans = read_tokens(fields.row[tokens], fields.row[tags])
    return make_content(fields, {"tokens": tokens, "tags": tags}, text, spans)


def _read_spans(fields: RowFields) -> RowContent:
    roles = {"input": fields.find(INPUTS), "spans": find_spans(fields.row, fields.names)}
    text, spans = fields.row[roles["input"]], fields.row[roles["spans"]]
    return make_content(fields, roles, fields.read_text(roles["input"]), read_spans(text, spans))


def _read_squad(fields: RowFields) -> RowContent:
    context, input, answers = (
        fields.find(CONTEXTS),
        fields.find(("question", "query")),
        fields.names["answers"],
    )
    roles = {"input": input, "squad": answers, "context": context}
    said = read_squad_answer(fields.row[context], fields.row[answers])
    content = make_content(fields, roles, fields.read_text(input), said)
    return replace(content, fixed=((context, fields.read_text(context)),), varying=input)


def _read_sql(fields: RowFields) -> RowContent:
    question, query, about = find_sql_columns(fields)
    roles = {"input": question, "output": query, **dict(zip(("context", "context 2"), about, strict=False))}
    content = make_content(fields, roles, fields.read_text(question), fields.row[query])
    return replace(content, fixed=tuple((each, fields.read_text(each)) for each in about), varying=question)


def _find_two_texts(fields: RowFields) -> tuple[str, ...]:
    """The columns of two texts that belong together, in order; empty where there are none."""
    for pair in PAIRS:
        if all(name in fields.names for name in pair):
            return tuple(fields.names[name] for name in pair)
    return ()


def _read_two_texts(fields: RowFields) -> RowContent:
    columns = _find_two_texts(fields)
    output = fields.find(OUTPUTS, *columns)
    texts = {column: fields.read_optional(column) for column in columns}
    if empty := [column for column, text in texts.items() if not text]:
        raise BadRowError(f"has an empty {empty[0]}")
    roles = {"output": output, **{f"input {n}": column for n, column in enumerate(columns, 1)}}
    whole = "\n".join(f"{column}: {text}" for column, text in texts.items())
    return make_content(fields, roles, whole, fields.row[output])


def _read_unnamed(fields: RowFields) -> RowContent:
    """Columns by number: the input first, the output last, options between."""
    input, *columns, output = fields.row
    roles = {"input": input, "output": output, **{f"choice {n}": c for n, c in enumerate(columns, 1)}}
    options = tuple(map(fields.read_text, columns))
    return make_content(fields, roles, fields.read_text(input), fields.row[output], options)


@dataclass(frozen=True, slots=True)
class RowShape:
    """A kind of row."""

    name: str
    """For a person to read."""
    fits: Callable[[RowFields], bool]
    read: Callable[[RowFields], RowContent]


def _has(*names: str) -> Callable[[RowFields], bool]:
    return lambda fields: all(name in fields.names for name in names)


def _is_record_chat(fields: RowFields) -> bool:
    return _has("input", "output")(fields) and chat_rows.holds_turns(fields, "turns")


def _numbered(width: int) -> Callable[[RowFields], bool]:
    return lambda fields: tuple(fields.row) == tuple(str(n) for n in range(1, width + 1))


def _holds_turns(name: str, fields: RowFields) -> bool:
    return chat_rows.holds_turns(fields, name)


def _is_whole_chat(name: str, fields: RowFields) -> bool:
    return chat_rows.is_whole_chat(fields, name)


def _is_pair(fields: RowFields) -> bool:
    input = fields.find(INPUTS)
    return bool(input and fields.find(OUTPUTS, input))


def _is_alpaca(fields: RowFields) -> bool:
    return _has("instruction")(fields) and bool(fields.find(OUTPUTS)) and not _has("choices")(fields)


def _is_two_texts(fields: RowFields) -> bool:
    columns = _find_two_texts(fields)
    return bool(columns and fields.find(OUTPUTS, *columns))


def _is_spans(fields: RowFields) -> bool:
    return isinstance(fields.row.get(fields.find(INPUTS)), str) and bool(find_spans(fields.row, fields.names))


def _is_squad(fields: RowFields) -> bool:
    context = fields.row.get(fields.find(CONTEXTS))
    answered = is_squad_answer(fields.row.get(fields.names.get("answers", "")))
    return (
        answered and isinstance(context, str) and bool(context.strip() and fields.find(("question", "query")))
    )


def _is_lettered(fields: RowFields) -> bool:
    return bool(_find_columns(fields) and fields.find(INPUTS))


def _is_context(fields: RowFields) -> bool:
    return bool(fields.find(CONTEXTS) and fields.find(("question", "query"))) and _is_pair(fields)


# The most telling first: every shape further down would misread those above it.
SHAPES: Final = (
    RowShape("records of chats", _is_record_chat, _read_record_chat),
    RowShape("chat messages", _has("messages"), _read_chat("messages")),
    RowShape("ShareGPT conversations", _has("conversations"), _read_chat("conversations")),
    *(
        RowShape(f"chat in a column `{name}`", partial(_holds_turns, name), _read_chat(name))
        for name in ("conversation", "turns")
    ),
    RowShape(
        "TRL prompt and completion of turns",
        chat_rows.is_prompt_completion,
        lambda fields: _make_chat_content(fields, chat_rows.read_prompt_completion(fields)),
    ),
    RowShape("chat in a column `chosen`", partial(_is_whole_chat, "chosen"), _read_chat("chosen")),
    RowShape("BIG-bench target_scores", _has("target_scores"), _read_scored),
    RowShape("a question about tables, its query", lambda row: bool(find_sql_columns(row)[0]), _read_sql),
    RowShape("Alpaca (instruction, input, output)", _is_alpaca, _read_alpaca),
    RowShape("a column an option, the answer by letter", _is_lettered, _read_lettered),
    RowShape(
        "tokens and their tags", lambda fields: bool(find_tokens(fields.row, fields.names)[0]), _read_tokens
    ),
    RowShape("a text and its marked passages", _is_spans, _read_spans),
    RowShape("SQuAD (context, question, answers with their places)", _is_squad, _read_squad),
    RowShape("a text, a question about it, the answer", _is_context, _read_context),
    RowShape("two texts and how they stand to each other", _is_two_texts, _read_two_texts),
    RowShape("input and output", _is_pair, _read_pair),
    RowShape("columns without names: question, four options, letter", _numbered(6), _read_unnamed),
    RowShape("two columns without names", _numbered(2), _read_unnamed),
)


def recognise_shape(fields: RowFields) -> RowShape:
    """The shape of a row; raises `BadRowError` that says which half is missing."""
    for shape in SHAPES:
        if shape.fits(fields):
            return shape
    raise lack_field(fields, "output" if fields.find((*INPUTS, "instruction")) else "input")


class UnknownColumnsError(BadRowError):
    """A row none of whose columns is known to hold the input, or the output."""


def lack_field(fields: RowFields, half: str) -> BadRowError:
    """The fault of a row without an input or an output: its column is empty, or there is none."""
    names = (*INPUTS, "instruction") if half == "input" else OUTPUTS
    if empty := next((fields.names[name] for name in names if name in fields.names), ""):
        return BadRowError(f"has an empty {empty}")
    return UnknownColumnsError(f"has no {half}; its fields are {', '.join(fields.row) or 'none'}")
