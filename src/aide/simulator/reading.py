"""A request body, read by the tags of the prompt contract."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

_NAMES: Final = (
    "text|topic|triples|about|parent|seed|relation|attribute|persona|label|labels|not_label|change|wanted|draft"
    "|others|critique|question|answer_as|candidate|candidate_answer|choices|examples|evidence|said|task"
)
_OPENING: Final = re.compile(rf"<({_NAMES})((?: \w+=\"[^\"]*\")*)>")
_ATTRIBUTE: Final = re.compile(r" (\w+)=\"([^\"]*)\"")
_PART: Final = re.compile(r"<part name=\"[^\"]*\">\n?(.*?)\n?</part>", re.DOTALL)
_EXAMPLE: Final = re.compile(r"<example>(.*?)</example>", re.DOTALL)
_INPUT: Final = re.compile(r"<input>\n?(.*?)\n?</input>", re.DOTALL)
_ANSWER: Final = re.compile(r"<answer>\n?(.*?)\n?</answer>", re.DOTALL)
_LABEL: Final = re.compile(r"<label>(.*?)</label>([^\n<]*)", re.DOTALL)
_CHOICE: Final = re.compile(r"<choice>(.*?)</choice>", re.DOTALL)
_LENGTH: Final = re.compile(r"(\d+) to (\d+) (words|characters)")
_EXACTLY: Final = re.compile(r"\bexactly (\d+)\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\b(\d{1,2})\b")
_LANGUAGE: Final = re.compile(r"^Language: ([A-Z]\w+)", re.MULTILINE)
_STEPS: Final = (
    ("draft", "revise"), ("wanted", "siblings"), ("change", "synthesize"), ("candidate", "reflect"),
    ("answer_as", "answer"), ("question", "answer"), ("triples", "expand_graph"), ("about", "personas"),
    ("labels", "card_labels"), ("text", "extract"), ("task", "card_topics"), ("examples", "card"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One demonstration as it stands in a prompt."""

    input: str
    answer: str


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its attributes by name, and the text between."""

    attributes: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the simulator understands of a request.

    `step` is empty where no tag of the contract is found. `tags` holds the first tag of each name, `retry`
    the answers that were already given and refused, `draw` what sets further samples apart. `system` is the
    whole message where a server without a system role got both in one.
    """

    step: str
    tags: Mapping[str, Tag]
    wanted: tuple[Mapping[str, Tag], ...]
    labels: tuple[tuple[str, str], ...]
    examples: tuple[Example, ...]
    system: str
    tail: str
    retry: str
    draw: str

    def get(self, name: str) -> str:
        """The text of a tag, empty where it is missing."""
        tag = self.tags.get(name)
        return tag.text if tag else ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The fixed parts F of the input, first in the system message."""
        return tuple(_PART.findall(self.system)) if "<part " in self.system else ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The choices that the judge sees."""
        return tuple(_CHOICE.findall(self.get("choices")))

    @property
    def asked(self) -> int:
        """How many things the prompt asks for ("exactly 3"), 3 where it names no number."""
        found = _EXACTLY.search(self.tail) or _NUMBER.search(self.tail)
        return min(int(found.group(1)), 50) if found else 3

    @property
    def length(self) -> tuple[int, int, str]:
        """Least and greatest length of an input and its unit; 0, 0 where the prompt tells none."""
        found = _LENGTH.search(self.tail) or _LENGTH.search(self.system)
        return (int(found.group(1)), int(found.group(2)), found.group(3)) if found else (0, 0, "words")

    @property
    def language(self) -> str:
        """The language that the prompt names, maybe empty."""
        found = _LANGUAGE.search(self.system)
        return found.group(1) if found else ""


def read(body: Mapping[str, Any]) -> Prompt:
    """The prompt in a request body; the last user message with tags of the contract counts."""
    messages = [(str(m.get("role", "")), _content(m.get("content"))) for m in body.get("messages") or ()]
    system = "\n".join(text for role, text in messages if role in ("system", "developer"))
    seed = body.get("seed")
    draw = "" if seed is None else str(seed)
    for place in range(len(messages) - 1, -1, -1):
        role, text = messages[place]
        if role != "user":
            continue
        prompt = _read_user(text, system, messages[place + 1 :], draw)
        if prompt.step:
            return prompt
    tail = messages[-1][1] if messages else ""
    return Prompt("", {}, (), (), (), system, tail, "", draw)


def _read_user(text: str, system: str, after: Sequence[tuple[str, str]], draw: str) -> Prompt:
    tags: dict[str, Tag] = {}
    wanted: list[Mapping[str, Tag]] = []
    tail: list[str] = []
    end = 0
    for name, tag, start, stop in _tags(text):
        tail.append(text[end:start])
        end = stop
        if name == "wanted":
            wanted.append({inner: held for inner, held, _, _ in _tags(tag.text)})
        if name not in tags:
            tags[name] = tag
    tail.append(text[end:])
    step = next((step for name, step in _STEPS if name in tags), "")
    labels = tags.get("labels")
    return Prompt(
        step,
        tags,
        tuple(wanted),
        tuple((n.strip(), d.strip()) for n, d in _LABEL.findall(labels.text)) if labels else (),
        read_examples(tags["examples"].text) if "examples" in tags else (),
        system or text,
        " ".join(tail),
        "\x1f".join(said for role, said in after if role == "assistant"),
        draw,
    )


def _tags(text: str) -> Iterator[tuple[str, Tag, int, int]]:
    """Name, tag, and where it begins and ends, of every outermost tag."""
    found = _OPENING.search(text)
    while found:
        name = found.group(1)
        close = text.find(f"</{name}>", found.end())
        if close < 0:
            found = _OPENING.search(text, found.end())
            continue
        held = Tag(dict(_ATTRIBUTE.findall(found.group(2))), text[found.end() : close].strip("\n"))
        stop = close + len(name) + 3
        yield name, held, found.start(), stop
        found = _OPENING.search(text, stop)


@lru_cache(maxsize=512)
def read_examples(block: str) -> tuple[Example, ...]:
    """The demonstrations of a block; siblings share the block, hence the cache."""
    found = []
    for example in _EXAMPLE.findall(block):
        given, answer = _INPUT.search(example), _ANSWER.search(example)
        found.append(Example(given.group(1) if given else "", answer.group(1) if answer else ""))
    return tuple(found)


def _content(content: Any) -> str:
    """The text of a message: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""
