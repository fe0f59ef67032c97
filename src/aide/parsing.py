"""From what a model said to a typed value: lenient about the wrapping, strict about the content.

Models wrap what they mean in fences, labels, quotes and prose, each in its own way; a wrapping taken off here is a call
that need not be paid for again. What is wrong with the content is never mended: the model is asked once more.

The order is always the same: `completion.read_completion` takes the message out of what came, a payload's `read` takes
the value out of the message. What can't be used is raised as `errors.Unusable`, in words that the model can act on.
"""

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from aide.errors import Unusable
from aide.text.cleaning import drop_controls
from aide.text.fences import find_fenced_blocks
from aide.text.programming import is_sql
from aide.text.tags import unwrap_tags

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_OPEN_FENCE: Final = re.compile(r"^[ \t]*```[^\n`]*\n", re.MULTILINE)
_JSON_START: Final = re.compile(r"""[{\[]\s*(?:["'{\[}\]]|\d)""")
_BRACKETS: Final = re.compile(r"[{}\[\]]")
_QUOTES: Final = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"), ("'", "'"))
_LABEL: Final = re.compile(
    r"\A(?:#+\s*)?(\*\*|__)?"
    r"((?:(?:the|a|my|your)\s+)?(?:(?:new|rewritten|revised|rephrased|modified|final)\s+)?"
    r"(?:input|question|text|prompt|problem|task|query|answer|output)|new one)"
    r"\s*:\s*(?(1)\1|)\s*",
    re.IGNORECASE,
)
# What stands for a character that `drop_controls` may take out; `\n` and `\t` are none.
_CONTROL_ESCAPE: Final = re.compile(r"\\[^nt\"/]")
_CODE_LINE: Final = re.compile(
    r"^\s*(?:(?:async )?def |class \w+|import \w|from \w+ import|assert |return\b|@\w+|#include"
    r"|(?:const|let|var|function|public|private|static|fn|func|package|using|SELECT|INSERT|CREATE)\b"
    r"|[\w.\[\]]+ ?[-+*/]?= ?\S)|[;{}]\s*$",
    re.MULTILINE,
)
# What a payload wants of a reply that goes on in the form of the prompt: a new input unless it is named here.
_WRITTEN: Final = {"answer": ("answer",)}
_NEW: Final = ("new", "input", "question", "text")
# Repair takes the square of the length: of 2,000 characters a tenth of a second at worst, of 16,000 five. What is cut
# off is not repaired but asked for again, and an answer that is slightly broken has seldom more than a few thousand.
_QUICK: Final = 2_000
_LONGEST_REPAIR: Final = 16_000
# Repair takes the square of the depth, and no shape that we ask for is deeper than six.
_DEEPEST: Final = 60
# "Question: … Answer: …" is a text of its own with labels in it, no label in front of a text.
_LABEL_AGAIN: Final = re.compile(r"^[*_#\s]*[\w ]{1,20}:", re.MULTILINE)


def parse_json(text: str) -> object:
    """The JSON value in `text`, whatever stands around it and however slightly it is broken.

    Code fences, prose before and after, trailing commas, raw control characters in strings, single quotes and Python's
    `True`, `False`, `None` are forgiven.

    Escapes bring back characters that the text was freed of, so strings are freed of them again; none is trimmed.

    Raises:
        Unusable: with the reason `not_json`.
    """
    value = _parse(text)
    if not _CONTROL_ESCAPE.search(text):
        return value
    try:
        return _drop_controls(value)
    except RecursionError:
        raise Unusable(
            "not_json", "The answer was nested without end; write one JSON object.", said=text
        ) from None


def _drop_controls(value: object) -> object:
    if isinstance(value, str):
        return drop_controls(value)
    if isinstance(value, list):
        return [_drop_controls(each) for each in value]
    if isinstance(value, dict):
        return {drop_controls(str(name)): _drop_controls(each) for name, each in value.items()}
    return value


def _parse(text: str) -> object:
    try:
        return orjson.loads(text)  # nearly every reply, and the fastest reader
    except orjson.JSONDecodeError:
        pass
    fence = next(find_fenced_blocks(text), None)
    body = fence.inside if fence and _JSON_START.match(fence.inside.strip()) else text
    start = _JSON_START.search(body)
    if start is None:
        raise Unusable(
            "not_json", "The answer was not JSON; write one JSON object and nothing else.", said=text
        )
    body = body[start.start() :]
    try:
        return json.JSONDecoder(strict=False).raw_decode(body)[0]
    except (ValueError, RecursionError):
        return _repaired(body, text)


def takes_long(text: str) -> bool:
    """True when reading JSON from `text` may take longer than an event loop should stand still."""
    if len(text) <= _QUICK:
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return True
    return False


def _repaired(body: str, text: str) -> object:
    import json_repair  # most runs never need it

    if len(body) > _LONGEST_REPAIR:
        raise Unusable(
            "not_json", "The answer was broken JSON; write one JSON object, and be brief.", said=text
        )
    if _measure_depth(body) > _DEEPEST:
        raise Unusable("not_json", "The answer was nested without end; write one JSON object.", said=text)
    try:
        value: object = json_repair.loads(body, skip_json_loads=True)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict | list) or not value:
        raise Unusable("not_json", "The answer was broken JSON; write one complete JSON object.", said=text)
    return value


def _measure_depth(text: str) -> int:
    """How deep brackets are nested, those in strings counted along."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def find_places(numbers: Sequence[int], count: int) -> list[int]:
    """The places, from 0, of items that a model numbered from 1, where `count` were asked for; -1 where it is none.

    What is said of another item is worse than nothing: a number that stands twice is the number of neither, unless
    there is an item for each place, whose order then says which is which. Some models count from 0.
    """
    times = Counter(numbers)
    if len(times) < len(numbers) == count:
        return list(range(count))
    first = 0 if 0 in times and count not in times else 1
    return [n - first if times[n] == 1 and first <= n < first + count else -1 for n in numbers]


def fits_schema(text: str, schema: Mapping[str, Any]) -> bool:
    """True when `text` is JSON that satisfies a JSON Schema."""
    from jsonschema.validators import Draft202012Validator

    try:
        return bool(Draft202012Validator(schema).is_valid(parse_json(text)))
    except Unusable:
        return False


def build_closed_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of `model`, closed and self-sufficient, as strict structured output demands.

    Every property is required, none may be added, references stand in place, names and defaults are left out. The order
    is that of the fields, because a model writes them in that order: what it should think first comes first.
    """
    schema = model.model_json_schema()
    return _closed(schema, schema.get("$defs", {}))


def set_counts(schema: Mapping[str, Any] | None, counts: Mapping[str, int]) -> dict[str, Any]:
    """The schema of an object whose lists of these names hold exactly so many items; a list of none is left out."""
    changed = {**(schema or {})}
    lists = changed["properties"]
    sized = {name: {**lists[name], "minItems": count, "maxItems": count} for name, count in counts.items()}
    left = {name: each for name, each in {**lists, **sized}.items() if counts.get(name, 1)}
    return {**changed, "properties": left, "required": list(left)}


def _closed(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _closed(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"title", "default", "$defs", "required"}:
            continue
        if key == "properties":
            out[key] = {name: _closed(sub, definitions) for name, sub in value.items()}
        elif key in {"items", "additionalProperties"} and isinstance(value, Mapping):
            out[key] = _closed(value, definitions)
        elif key in {"anyOf", "allOf", "oneOf", "prefixItems"}:
            out[key] = [_closed(sub, definitions) for sub in value]
        elif key == "const":
            out["enum"] = [value]
        else:
            out[key] = value
    if "properties" in out:
        out["required"] = list(out["properties"])
        out["additionalProperties"] = False
    return out


class ReplyModel(BaseModel):
    """Base of shapes asked of a model: spaces trimmed, numbers taken as strings, unknown keys ignored."""

    model_config = ConfigDict(
        extra="ignore", str_strip_whitespace=True, coerce_numbers_to_str=True, frozen=True
    )


class ModelPayload(Generic[M, T]):
    """A JSON object of the shape `model`, handed on as whatever `convert` makes of it.

    `convert` may raise `Unusable` itself, or `ValueError` with a sentence for the model.
    """

    __slots__ = ("_convert", "_model", "name", "schema")

    def __init__(self, name: str, model: type[M], convert: Callable[[M], T]) -> None:
        self.name = name
        self.schema: Mapping[str, Any] | None = build_closed_schema(model)
        self._model = model
        self._convert = convert

    def read(self, text: str) -> T:
        """The converted value; `'8'` is taken for 8 and `'true'` for true, but bounds are held.

        Raises:
            Unusable: with the reason `not_json` or `invalid`; its problem names the field.
        """
        value = self._unwrapped(parse_json(text))
        try:
            return self._convert(self._model.model_validate(value))
        except ValidationError as fault:
            raise Unusable("invalid", _complaint(fault), said=text) from fault
        except ValueError as fault:
            raise Unusable("invalid", str(fault), said=text) from fault

    def _unwrapped(self, value: object) -> object:
        """The object itself where it came in a list of one, under a name, or as its only field's value."""
        fields = dict.fromkeys(field.alias or name for name, field in self._model.model_fields.items())
        if isinstance(value, list):
            if len(value) == 1 and isinstance(value[0], dict) and fields.keys() <= value[0].keys():
                return value[0]
            return {next(iter(fields)): value} if len(fields) == 1 else value
        if isinstance(value, dict) and len(value) == 1 and not fields.keys() & value.keys():
            inner = next(iter(value.values()))
            return inner if isinstance(inner, dict) else value
        return value


def _complaint(fault: ValidationError) -> str:
    errors = fault.errors(include_url=False, include_context=False, include_input=False)
    told = []
    for error in errors[:3]:  # the first ones often cause the others, and each is paid for as prompt
        where = ".".join(str(step) for step in error["loc"])
        what = error["msg"].removeprefix("Value error, ")
        told.append(f"`{where}`: {what}" if where else what)
    return "; ".join(told) + "."


@dataclass(slots=True)
class TextPayload:
    """Plain text, freed of what models wrap around it: fence, tags, object with one string, quotes, leading label."""

    name: str
    kept: tuple[str, ...] = ()
    """Labels (such as "Question:") that the seeds' own texts begin with and that therefore stay."""
    schema: Mapping[str, Any] | None = None

    def read(self, text: str) -> str:
        """The text alone.

        Raises:
            Unusable: with the reason `empty`, where nothing is left.
        """
        for _ in range(3):  # a label in front of quotes inside a fence: each pass takes one layer off
            bare = self._unwrap(text).strip()
            if bare == text:
                break
            text = bare
        if not text:
            raise Unusable("empty", "The answer was empty; write the text itself.")
        return text

    def _unwrap(self, text: str) -> str:
        fence = next(find_fenced_blocks(text), None)
        if fence and (fence.start, fence.end) == (0, len(text)) and "```" not in fence.inside:
            return fence.inside
        if "<" in text and (inside := unwrap_tags(text, _WRITTEN.get(self.name, _NEW))):
            text = inside
        if text[:1] in "{[" and text[-1:] in "}]":
            return _only_string(text)
        label = _LABEL.match(text)
        if label and not text.startswith(self.kept or "\0") and not _LABEL_AGAIN.search(text, label.end()):
            return text[label.end() :]
        for left, right in _QUOTES:
            quoted = len(text) > 1 and text.startswith(left) and text.endswith(right)
            # Quotes inside mean that the outer ones belong to the text: '"No," she said, "never."'
            if quoted and not {left, right} & set(inner := text[1:-1]):
                return inner
        return text


def _only_string(text: str) -> str:
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text
    inside = list(value.values()) if isinstance(value, dict) else value
    return drop_controls(inside[0]) if len(inside) == 1 and isinstance(inside[0], str) else text


@dataclass(slots=True)
class CodePayload:
    """Source code: what stands in the fenced block, or the whole text where that is code by its looks."""

    name: str
    schema: Mapping[str, Any] | None = None

    def read(self, text: str) -> str:
        """The code without its fence; of several blocks the longest.

        Raises:
            Unusable: with the reason `no_code`.
        """
        blocks = [block.inside for block in find_fenced_blocks(text)]
        if not blocks and (fence := _OPEN_FENCE.search(text)):
            blocks = [text[fence.end() :]]
        if not blocks and (looks_like_code(text) or is_sql(text)):
            blocks = [text]
        code = max(blocks, key=len, default="").strip("\n").rstrip()
        if not code:
            raise Unusable("no_code", "There was no code; answer with one fenced code block.", said=text)
        return code


def looks_like_code(text: str) -> bool:
    """Whether `text` is code rather than prose: it parses as Python statements, or most lines look so."""
    tree = parse_python(text)
    if tree is None:
        lines = [line for line in text.splitlines() if line.strip()]
        return sum(bool(_CODE_LINE.search(line)) for line in lines) * 2 > len(lines)
    return any(not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in tree.body)


def parse_python(code: str) -> ast.Module | None:
    """The syntax tree of Python source, `None` where it is none; the compiler's warnings are kept quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
