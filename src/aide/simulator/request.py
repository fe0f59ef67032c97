"""A request body, read without knowing its prompt: delimited inputs, the schema, what was said before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import orjson

# All that is known of single prompts: which tag, or which schema, shows which step. The first row that is there counts;
# where none is, the step is called as its schema. A new prompt needs a line here only if it wants new texts or answers.
STEPS: Final = (
    ("realism", "realism"), ("draft", "revise"), ("change", "synthesize"), ("wanted", "synthesize"),
    ("candidate", "reflect"), ("answer_as", "answer"), ("question", "answer"), ("topic", "expand_graph"),
    ("about", "personas"), ("task", "card"), ("text", "extract"), ("examples", "card"),
)  # fmt: skip
# Where one step has several prompts, `kind` of `<answer_as>` tells them apart.
KINDS: Final = {"tests": "tests", "choose": "check"}
# Tags that show the form of what is wanted back, as in `<new>the new question</new>`: no inputs.
OUTPUTS: Final = ("item", "new", "answer")

_SCHEMA: Final = "JSON Schema:"  # what stands before the schema where it is told in the prompt
_OPENING: Final = re.compile(r"<([a-z_]+)((?: \w+=\"[^\"]*\")*)>")
_ATTRIBUTE: Final = re.compile(r" (\w+)=\"([^\"]*)\"")
_LENGTH: Final = re.compile(r"(\d+) to (\d+) (words|characters)")
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
    def length(self) -> tuple[int, int, str]:
        """Least and greatest length of a new text and its unit; 0, 0 where the prompt tells none."""
        low, high, unit = (_LENGTH.findall(self.prose) or [("0", "0", "words")])[-1]
        return int(low), int(high), unit


def read_request(body: Mapping[str, Any]) -> ParsedRequest:
    """The first user message with the system message before it; what follows are corrections."""
    messages = [(message.get("role"), _read_content(message)) for message in body.get("messages") or ()]
    roles = [role for role, _ in messages]
    asked = roles.index("user") + 1 if "user" in roles else len(messages)
    tags, prose = read_tags("\n".join(text for _, text in messages[:asked]))
    name, schema = _read_schema(body.get("response_format"), messages[-1][1] if messages else "")
    names = {name, *(tag.name for tag in tags)}
    said = "\x1f".join(text for role, text in messages[asked:] if role == "assistant")
    step = next((step for tag, step in STEPS if tag in names), name)
    return ParsedRequest(step, tags, prose, schema, (said, str(body.get("seed", ""))))


def step_of(body: Mapping[str, Any]) -> str:
    """The name of the step that a request body belongs to; empty where nothing tells."""
    request = read_request(body)
    return KINDS.get(flatten(request.tags).get("answer_as.kind", ""), request.step)


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
    """What the first tag of each name holds; attributes stand beside it, as in `answer_as.kind`."""
    found: dict[str, str] = {}
    for tag in reversed(tags):
        found[tag.name] = tag.text
        found.update({f"{tag.name}.{name}": value for name, value in tag.attributes.items()})
    return found


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
