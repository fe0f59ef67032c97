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
VERDICT = shape(
    own_answer=text(), critique=text(),
    **{name: {"type": "boolean"} for name in ("on_task", "answerable", "gives_away", "correct")},
    relevance=GRADE, diversity=GRADE,
)  # fmt: skip


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


def synthesize(kind: str = "constraint", **tags: str) -> str:
    """A user message of the step `synthesize`, without empty tags."""
    values = {"parent": PARENT, "topic": "order", **tags}
    lines = [f"<{name}>{value}</{name}>" for name, value in values.items() if value]
    return (
        examples()
        + "\n".join(lines)
        + f'\n<change kind="{kind}">\nChange it.\n</change>\nWrite only the new input, 8 to 50 words.'
    )


def answer(kind: str, question: str, **options: str) -> str:
    """A user message of the step `answer`."""
    extra = "".join(f' {name}="{value}"' for name, value in options.items())
    form = f'<answer_as kind="{kind}"{extra}>\nAnswer.\n</answer_as>'
    return f"{examples()}<question>\n{question}\n</question>\n{form}"


def labels(*names: str) -> dict[str, Any]:
    """The schema of a label."""
    return shape(label=text(enum=list(names)))


def reflect(candidate: str, said: str, seed: str = "a seed", parent: str = PARENT) -> str:
    """A user message of the step `reflect`."""
    return (
        f"<seed>\n{seed}\n</seed>\n<parent>\n{parent}\n</parent>\n<candidate>\n{candidate}\n</candidate>\n"
        f"<candidate_answer>\n{said}\n</candidate_answer>\nWrite one JSON object."
    )


def text_of(completion: dict[str, Any]) -> str:
    """The message's text."""
    return str(completion["choices"][0]["message"]["content"])


def json_of(completion: dict[str, Any]) -> Any:
    """The message's text, read as JSON."""
    return json.loads(text_of(completion))
