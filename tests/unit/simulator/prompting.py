"""Requests as the prompt contract (docs/design/prompts.md) renders them, written out by hand."""

import json
from typing import Any

DEMOS = (
    ("The parcel from the warehouse never reached my sister in Leeds. What happened?", "delivery"),
    ("Why does the invoice for May show twelve licences when we ordered nine?", "billing"),
    ("Our printer refuses every second page since the update. Can you help?", "technical"),
)
PARENT = "My order of 14 lamps was sent to the old office. How can I get it back before Friday?"


def text(**bounds: Any) -> dict[str, Any]:
    """The schema of a string."""
    return {"type": "string", **bounds}


def listed(items: dict[str, Any], **bounds: Any) -> dict[str, Any]:
    """The schema of a list."""
    return {"type": "array", "items": items, **bounds}


def shape(**properties: Any) -> dict[str, Any]:
    """The schema of an object."""
    return {"type": "object", "properties": properties, "required": list(properties)}


TRIPLES = listed(shape(relation=text(), attribute=text()), minItems=3, maxItems=3)
GRADE = {"type": "integer", "minimum": 1, "maximum": 10}
READING = shape(
    n={"type": "integer"}, answer=text(), fault=text(),
    **{name: {"type": "boolean"} for name in ("on_task", "in_style", "plausible", "answerable", "gives_away")},
    relevance=GRADE,
)  # fmt: skip
COMPARISON = shape(
    n={"type": "integer"},
    fault=text(),
    correct={"type": "boolean"},
    residue={"type": "boolean"},
    diversity=GRADE,
)
READINGS, COMPARISONS = shape(verdicts=listed(READING)), shape(verdicts=listed(COMPARISON))


def request(
    user: str, *after: tuple[str, str], system: str = "", schema: dict[str, Any] | None = None, **extra: Any
) -> dict[str, Any]:
    """A request body; `after` are the turns behind the prompt."""
    messages = [{"role": "system", "content": system or "You write new material.\nLanguage: English"}]
    messages.append({"role": "user", "content": user})
    messages += [{"role": role, "content": said} for role, said in after]
    if schema is not None:
        named = {"name": "given", "strict": True, "schema": schema}
        extra["response_format"] = {"type": "json_schema", "json_schema": named}
    return {"model": "any", "messages": messages, **extra}


def examples(demos: tuple[tuple[str, str], ...] = DEMOS) -> str:
    """The demonstrations as a prompt shows them."""
    rows = (
        f"<example>\n<input>\n{given}\n</input>\n<answer>\n{answer}\n</answer>\n</example>"
        for given, answer in demos
    )
    return "<examples>\n" + "\n".join(rows) + "\n</examples>\n"


LINE = "stamps – is paid with order; with a condition. About 18 words."


def synthesize(
    *lines: str, parent: str = PARENT, seed: str = "", label: str = "", not_label: str = "", reply: str = "",
    shown: str | None = None,
) -> str:  # fmt: skip
    """A user message of the step `synthesize`: one text for each line, without empty tags."""
    values = {"label": label, "not_label": not_label, "parent": parent, "seed": seed}
    tags = "\n".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value)
    asked = "\n".join(f'<line n="{n}">{line}</line>' for n, line in enumerate(lines or [LINE], start=1))
    closing = reply or "Write only the text."
    return f"{examples() if shown is None else shown}{tags}\nWrite new texts:\n{asked}\n{closing}"


ITEMS = '<item n="1">\nthe text\n</item>\nWrite nothing else.'
ANSWERED_ITEMS = '<item n="1">\nthe text\n<answer>\nits answer\n</answer>\n</item>\nWrite nothing else.'
FORMS = {
    "open": "The last line gives the result in exactly this form: Answer: <number>",
    "free_text": "Answer truthfully and to the point.",
    "code": "Write only one fenced code block.",
    "tests": "Write three to five Python assert statements, in one fenced code block.",
    "label": 'Write only one JSON object with the key "label".',
    "options": 'Write one JSON object: the key "correct", and the key "wrong" with a list of exactly {} wrong ones.',
    "values": "Write one JSON object.",
    "quoted": "Answer, and behind it <evidence>the passage, or none</evidence>.",
}


def answer(form: str, question: str, count: int = 3) -> str:
    """A user message of the step `answer`, in a form of `FORMS`."""
    return f"{examples()}<question>\n{question}\n</question>\n{FORMS[form].format(count)}"


def labels(*names: str) -> dict[str, Any]:
    """The schema of a label."""
    return shape(label=text(enum=list(names)))


def blind(*texts: str) -> str:
    """A user message of the judge's part one: texts among examples, without their answers and parents."""
    shown = "\n".join(f'<text n="{n}">\n{each}\n</text>' for n, each in enumerate(texts, start=1))
    return f"{examples()}{shown}\nAnswer with one JSON object."


def beside(*pairs: tuple[str, str], parent: str = PARENT) -> str:
    """A user message of the judge's part two: each text with its answer beside its parent."""
    shown = "\n".join(
        f'<pair n="{n}">\n<parent>\n{parent}\n</parent>\n<text>\n{each}\n</text>\n'
        f"<candidate_answer>\n{said}\n</candidate_answer>\n</pair>"
        for n, (each, said) in enumerate(pairs, start=1)
    )
    return f"{shown}\nAnswer with one JSON object."


def text_of(completion: dict[str, Any]) -> str:
    """The message's text."""
    return str(completion["choices"][0]["message"]["content"])


def json_of(completion: dict[str, Any]) -> Any:
    """The message's text, read as JSON."""
    return json.loads(text_of(completion))
