"""A request body, read without knowing its prompt: delimited inputs, the schema, what was said before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import orjson

from aide.simulator.texts import Manner

# With `FORMS` all that is known of single prompts: which tag, or which schema, shows which step. The first row that is
# there counts; where none is, the schema's name is the step's. A new prompt needs a line here only if it wants new
# texts or answers.
STEPS: Final = (
    ("realism", "realism"), ("draft", "revise"), ("line", "synthesize"), ("text.n", "reflect"), ("pair", "reflect"),
    ("question", "answer"), ("texts", "synthesize"), ("items", "synthesize"), ("item.n", "synthesize"),
    ("topic", "expand_graph"), ("about", "personas"), ("task", "card"), ("text", "extract"),
    ("examples", "card"),
)  # fmt: skip
# What an answer without a schema is asked for as, by words that stand in the prompt for it alone: `_Writer.kind`.
FORMS: Final = (
    ("assert", "tests"), ("the one SQL query", "sql"), ("code block", "code"),
    ("in exactly this form", "open"), ("only a JSON list", "calls"),
)  # fmt: skip
# Tags that show the form of what is wanted back, as in `<new>the new question</new>`: no inputs.
OUTPUTS: Final = ("item", "new", "answer")

_SCHEMA: Final = "JSON Schema:"  # what stands before the schema where it is told in the prompt
_OPENING: Final = re.compile(r"<([a-z_]+)((?: \w+=\"[^\"]*\")*)>")
_ATTRIBUTE: Final = re.compile(r" (\w+)=\"([^\"]*)\"")
_LENGTH: Final = re.compile(r"\babout (\d+) (word|character)s?\b", re.IGNORECASE)
_SENTENCES: Final = re.compile(r"\b(\d+) sentences\b")
_LINES: Final = re.compile(r"\bon (\d+) lines\b")
_TURNS: Final = re.compile(r"\bTurns: ([a-z, ]+)\.")
_COUNT: Final = re.compile(r"\bexactly (\d{1,2})\b", re.IGNORECASE)


class Tag(NamedTuple):
    """One delimited piece of a prompt."""

    name: str
    attributes: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class ParsedRequest:
    """What the simulator understands of a request."""

    step: str
    """The step by `STEPS`, else the schema's name; empty where neither tells."""
    tags: Sequence[Tag]
    """The outermost ones."""
    prose: str
    """What stands between the tags."""
    schema: Mapping[str, Any] | None
    again: tuple[str, str]
    """The answers that were already given and refused, and the `seed` that sets further samples apart."""

    @cached_property
    def numbered(self) -> list[dict[str, str]]:
        """The inputs of each number, in tags such as `<wanted n="1">` and in those inside of them."""
        own: dict[str, list[Tag]] = {}
        for tag in self.tags:
            if "n" in tag.attributes and tag.name not in OUTPUTS:
                own.setdefault(tag.attributes["n"], []).extend([tag, *read_tags(tag.text)[0]])
        return [flatten(tags) for tags in own.values()]

    @property
    def count(self) -> int:
        """How many things are asked for: one for each number, or as the prose says ("exactly 4"); else 3."""
        return len(self.numbered) or int((_COUNT.findall(self.prose) or ["3"])[-1])

    @property
    def form(self) -> str:
        """What an answer is asked for as; empty where it is text of any form."""
        return next((form for word, form in FORMS if word in self.prose), "")


def read_request(body: Mapping[str, Any]) -> ParsedRequest:
    """The first user message with the system message before it; what follows are corrections."""
    messages = [(message.get("role"), _read_content(message)) for message in body.get("messages") or ()]
    roles = [role for role, _ in messages]
    asked = roles.index("user") + 1 if "user" in roles else len(messages)
    tags, prose = read_tags("\n".join(text for _, text in messages[:asked]))
    name, schema = _read_schema(body.get("response_format"), messages[-1][1] if messages else "")
    fields = list((schema or {}).get("properties", ()))
    # A lone key says as much as the schema's name, which is not told where the prompt itself holds the schema.
    names = {name, *flatten(tags), *(fields if len(fields) == 1 else ())}
    said = "\x1f".join(text for role, text in messages[asked:] if role == "assistant")
    step = next((step for tag, step in STEPS if tag in names), name)
    return ParsedRequest(step, tags, prose, schema, (said, str(body.get("seed", ""))))


def step_of(body: Mapping[str, Any]) -> str:
    """The name of the step that a request body belongs to; empty where nothing tells."""
    request = read_request(body)
    return "tests" if request.step == "answer" and request.form == "tests" else request.step


def read_tags(text: str) -> tuple[list[Tag], str]:
    """The outermost tags of a text in order, and what stands around them."""
    found: list[Tag] = []
    around: list[str] = []
    end, opening = 0, _OPENING.search(text)
    while opening:
        name, start = opening[1], opening.end()
        close = text.find(f"</{name}>", start)
        if close >= 0:  # otherwise it is no tag but a placeholder, or markup of people's own
            attributes = dict(_ATTRIBUTE.findall(opening[2])) if opening[2] else {}
            found.append(Tag(name, attributes, text[start:close].strip("\n")))
            around.append(text[end : opening.start()])
            start = end = close + len(name) + 3
        opening = _OPENING.search(text, start)
    return found, " ".join((*around, text[end:]))


def flatten(tags: Sequence[Tag]) -> dict[str, str]:
    """What the first tag of each name holds; attributes stand beside it, as in `line.n`."""
    found: dict[str, str] = {}
    for tag in reversed(tags):
        found[tag.name] = tag.text
        found.update({f"{tag.name}.{name}": value for name, value in tag.attributes.items()})
    return found


def read_manner(line: str) -> Manner:
    """The form that a line asks for."""
    length, unit = (_LENGTH.findall(line) or [("0", "word")])[0]
    sentences, lines = _SENTENCES.findall(line), _LINES.findall(line)
    return Manner(
        int(length), f"{unit}s", int(sentences[0]) if sentences else 1, int(lines[0]) if lines else 1
    )


def read_turns(line: str) -> list[str]:
    """The kinds of the turns that a line asks for; none where it asks for a single text."""
    found = _TURNS.search(line)
    return found[1].split(", ") if found else []


def read_user_words(text: str) -> str:
    """What the user says in a conversation; any other text as it is."""
    if "<turn role=" not in text:
        return text
    turns = [tag for tag in read_tags(text)[0] if tag.name == "turn"]
    return " ".join(tag.text for tag in turns if tag.attributes.get("role") == "user") or text


@lru_cache(maxsize=512)
def read_examples(block: str) -> Mapping[str, str]:
    """Answers by input of the demonstrations in `<examples>`; siblings share the block, hence the cache."""
    pairs = [flatten(read_tags(example.text)[0]) for example in read_tags(block)[0]]
    return {pair.get("input", ""): pair.get("answer", "") for pair in pairs}


def _read_schema(wanted: Any, last: str) -> tuple[str, Mapping[str, Any] | None]:
    """Name and schema of the answer, from the field of a rung or from the end of the last message."""
    if isinstance(wanted, Mapping):
        holder = wanted.get("json_schema", wanted)
        if isinstance(holder.get("schema"), Mapping):
            return str(holder.get("name", "")), holder["schema"]
    _, told, schema = last.rpartition(_SCHEMA)
    return "", orjson.loads(schema) if told else {"type": "object"} if wanted else None


def _read_content(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(str(part.get("text", "")) for part in content)
