"""What a seed and a record have in common: the content of one example, and the parts that an input may have."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from aide.records.turns import Turn, describe_turns, write_turns
from aide.text.structure import write_structure


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of one example."""

    input: str
    """The varying part V only; for inputs without fixed parts that is the whole input."""
    output: str = ""
    choices: tuple[str, ...] = ()
    """Options of a multiple choice question; `output` is exactly one of them."""
    tests: tuple[str, ...] = ()
    reasoning: str = ""
    """The working that is written out in the way of the seeds, where the output is the bare result of it."""
    evidence: str = ""
    """A verbatim quote of a fixed part."""
    turns: tuple[Turn, ...] = ()
    """A chat, of which `input` is what the user says; its last turn is the output, where there is one."""
    tools: tuple[str, ...] = ()
    """Functions that the chat may call, each as JSON text in OpenAI's shape."""
    system: str = ""
    """The system prompt that all chats of the task share; one that differs between them is a turn."""
    thoughts: str = ""
    """What a model thought before it gave the output, taken apart from it. Nothing that checks or grades sees it."""
    negatives: tuple[str, ...] = ()
    """Passages that look like answers to the input and are none, where the output is the passage that is one."""

    @property
    def context(self) -> tuple[Turn, ...]:
        """The turns before the answer."""
        return self.turns[:-1] if self.output else self.turns

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON values: `input` and `output` always, the others only where they hold something.

        A line has one `reasoning`. Thoughts stand there before a working, marked by `thought`, which leaves the
        working its own name.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {"turns": write_turns(self.turns), "tools": list(map(json.loads, self.tools))}
        if thoughts := values.pop("thoughts"):
            values |= {"reasoning": thoughts, "thought": True, "working": self.reasoning}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value or name in ("input", "output")
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; what `data` holds besides the fields of a draft is ignored."""
        values: dict[str, Any] = {
            each.name: tuple(map(_READ.get(each.name, _keep), data[each.name]))
            if each.name in _LISTS
            else data[each.name]
            for each in fields(cls)
            if each.name in data
        }
        if isinstance(values.get("output"), dict | list):
            values["output"] = write_structure(values["output"])
        if data.get("thought") is True:
            values |= {"thoughts": values.get("reasoning", ""), "reasoning": data.get("working", "")}
        return cls(**values)


def _keep(value: Any) -> Any:
    return value


def write_tool(definition: Any) -> str:
    """The definition of a function as a draft holds it."""
    return json.dumps(definition, ensure_ascii=False)


_READ: Final = {"turns": Turn.from_dict, "tools": write_tool}
_LISTS: Final = tuple(each.name for each in fields(Draft) if isinstance(each.default, tuple))

CONTENT: Final[Mapping[str, type]] = {
    each.name: list if each.name in _LISTS else str
    for each in fields(Draft)
    if each.name not in ("evidence", "thoughts")
}
"""The fields of a record's line that hold its draft, with the type of their JSON value; evidence stands in `meta`.

Commands that answer, edit or export examples go by this, so that a field added to `Draft` is known to them all.
"""

REASONING_MARKS: Final[Mapping[str, type]] = {"thought": bool, "working": str}
"""What a line says of its `reasoning`: true where a model thought it, and the working that is there besides."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How an input is put together from fixed parts F, which are never rewritten, and one varying part V."""

    fixed: tuple[tuple[str, str], ...] = ()
    """Name and text of each fixed part."""
    varying: str = "input"
    """The name of V."""
    frame: str = "{input}"
    """The whole input with `{name}` where each part stands; `{{` and `}}` are literal braces."""

    @classmethod
    def locate(cls, whole: str, texts: Mapping[str, str], varying: str) -> Self:
        """The parts of an input that was not made here: the frame is what stands around them in `whole`.

        They are looked for in the order of `texts`, then with the varying one at each other place, since records list
        it last wherever it stands. Where none of this fits, blank lines join them.
        """
        fixed = [name for name in texts if name != varying]
        orders = [list(texts)] + [[*fixed[:at], varying, *fixed[at:]] for at in range(len(fixed) + 1)]
        found = (frame for order in orders if (frame := _find_frame(whole, [(n, texts[n]) for n in order])))
        frame = next(found, "") or "\n\n".join(f"{{{name}}}" for name in texts)
        return cls(tuple((name, texts[name]) for name in fixed), varying, frame)

    def whole(self, varying: str) -> str:
        """The complete input for one varying part; fixed parts come out byte-equal."""
        if not self.fixed and self.frame == "{input}":  # nearly every input, and asked for at each step
            return varying
        return self.frame.format_map(self.texts(varying))

    @property
    def fixed_text(self) -> str:
        """The fixed parts alone, one below the other."""
        return "\n".join(text for _, text in self.fixed)

    def texts(self, varying: str) -> dict[str, str]:
        """All parts by name, the varying one last."""
        return {**dict(self.fixed), self.varying: varying}

    def as_dict(self) -> dict[str, Any]:
        """The parts as JSON values, with the frame and without the text of the varying one."""
        return {"fixed": [list(part) for part in self.fixed], "varying": self.varying, "frame": self.frame}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(tuple((name, text) for name, text in data["fixed"]), data["varying"], data["frame"])


WHOLE: Final = Parts()


def find_varying_name(line: Mapping[str, Any]) -> str:
    """The name of the varying part of a record's line, empty where its input has no parts.

    Lines of version 0.1 do not name it: there it is the last of the parts.
    """
    parts = line.get("parts")
    if not isinstance(parts, Mapping) or not parts:
        return ""
    name = line.get("varying")
    return str(name if name in parts else list(parts)[-1])


def read_varying(line: Mapping[str, Any]) -> str:
    """What varies in the input of a record's line: the varying part, or without parts the whole input."""
    name = find_varying_name(line)
    return str(line["parts"][name] if name else line["input"])


def read_output(line: Mapping[str, Any]) -> str:
    """The output of a record's line as text; one that is a JSON value is written as such."""
    output = line.get("output", "")
    return write_structure(output) if isinstance(output, dict | list) else str(output)


def show_chat(line: Mapping[str, Any]) -> str:
    """Who says what before the answer, for a person to read; empty where a line holds no chat."""
    try:
        turns = [Turn.from_dict(turn) for turn in line.get("turns") or ()]
    except (KeyError, TypeError, AttributeError):  # another kind of row, whose column has this name
        return ""
    return describe_turns(turns[:-1] if line.get("output") else turns)


def make_frame(whole: str, spans: Sequence[tuple[tuple[int, int], str]]) -> str:
    """`whole` as a frame: `{name}` in place of each span, of which none may overlap the one before."""
    pieces, end = [], 0
    for (start, stop), name in spans:
        pieces += [_escape_braces(whole[end:start]), f"{{{name}}}"]
        end = stop
    return "".join([*pieces, _escape_braces(whole[end:])])


def _find_frame(whole: str, parts: Sequence[tuple[str, str]]) -> str:
    spans, end = [], 0
    for name, text in parts:
        start = whole.find(text, end)
        if start < 0:
            return ""
        end = start + len(text)
        spans.append(((start, end), name))
    return make_frame(whole, spans)


def _escape_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
