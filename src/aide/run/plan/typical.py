"""What a model typically writes, made of the seeds: new texts are as long as seeds, answers as long as theirs.

It stands in for a model where only the length of an answer counts, and is read by the payload that asked for it: so a
change of what is asked shows here, and not in an estimate that is quietly wrong.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import count, cycle
from typing import Any, Final

from aide.formats import Format, TaskCard
from aide.formats.schema import COPIED
from aide.recipes.chats import ChatsPayload
from aide.records import WHOLE, Draft, Parts, Payload, Seed, render_turns
from aide.text.structure import read_structure
from aide.text.words import fold_words

# Lengths are those of strong models on a dozen tasks; only they matter, so any language will do.
_TEXTS: Final = {
    "task": "A short text is given, and what it asks for has to be answered.",
    "source": "people who need something and write it down in a few words",
    "register": "Plain and brief, one person to another, in one or two full sentences.",
    "hard": "",
    "answer_form": "A few words that say what was asked for, spelled as in the examples, and nothing else.",
    "language": "English", "language_code": "en", "locale": "",
    "topic": "a common matter {}", "relation": "depends on", "attribute": "aspect {}",
    "personas": "someone new to it, in a hurry {}",
    "definition": "They ask when what was promised will come, or why it has not {}.",
    "fault": "", "second": "", "evidence": "none",
    "sign": "it names one detail too many",
}  # fmt: skip
# Where seeds give the bare result, models still write how they came to it.
_WORKING: Final = (
    "First the parts that are given: each is taken once, and their sum is found. Then what is asked for "
    "follows from it, and the rest is left out. Checked against what was given, it holds."
)
_WRONG: Final = "2 + 2 = 5\n"
_QUOTED: Final = 20  # words
_FALSE: Final = ("gives_away", "residue")
_NUMBERS: Final = ("n", "group")
_GRADE: Final = 8
_SHARE: Final = 2
_STRIDE: Final = 7  # words between two that are copied one after the other
_NAMED: Final = re.compile(r"\bdef (\w+)")


class TypicalWriter:
    """A model that answers every call as seeds would be answered."""

    def __init__(
        self, seeds: Sequence[Seed], format: Format, card: TaskCard, texts: Mapping[str, str] | None = None
    ) -> None:
        """`texts` are what a model writes under further keys."""
        self._texts = {**_TEXTS, **(texts or {})}
        self._format = format
        self._card = card
        self._seeds = {seed.draft.input: seed for seed in seeds}
        self._next = cycle(seeds)
        self._number = count(1)
        self._parts = WHOLE
        self.label = ""
        """What a text was written for, and is read as; empty where a seed's own output says it."""
        self.slips = 0
        """So many of the next worked answers hold a wrong equation."""
        self.fails = False
        """True while what a recipe itself asks about a text is answered against it."""

    def write(self, payload: Payload[Any], context: Mapping[str, Any], parts: Parts) -> str:
        """The completion of a call for `payload`, its prompt filled from `context` and showing these fixed parts."""
        self._parts = parts
        if payload.schema is not None:
            if "question" in context and self._format.structured:
                return self._format.render(self._find_seed(context).draft)
            value = self._fill(payload.schema, "", context, self._find_seed(context))
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if "question" in context:
            return self._answer(
                payload.name, self._find_seed(context), evidence=bool(context.get("evidence"))
            )
        if isinstance(payload, ChatsPayload):
            return "\n".join(_write_chat(n, model) for n, model in enumerate(payload.models, start=1))
        if not context.get("reply"):
            return next(self._next).draft.input
        return "\n".join(self._write_item(n) for n, _ in enumerate(context["lines"], start=1))

    def _find_seed(self, context: Mapping[str, Any]) -> Seed:
        return self._seeds.get(context.get("question", "")) or next(self._next)

    # --- text -----------------------------------------------------------------------------------------

    def _answer(self, name: str, seed: Seed, *, evidence: bool) -> str:
        draft = seed.draft
        fenced = {"tests": "\n".join(draft.tests or _make_tests(draft)), "code": f"```\n{draft.output}\n```"}
        quote = f"\n<evidence>{self._quote(seed)}</evidence>" if evidence else ""
        return fenced.get(name) or f"{self._work_out(draft)}{quote}"

    def _work_out(self, draft: Draft) -> str:
        """An answer with its working, as a solver writes it."""
        slip = _WRONG if self.slips > 0 else ""
        self.slips -= 1
        if draft.reasoning or not self._format.comparable or "\n" in draft.output or len(draft.output) > 60:
            return f"{slip}{self._format.render(draft)}"
        return f"{slip}{_WORKING}\n{draft.output}"

    def _write_item(self, number: int) -> str:
        seed = next(self._next)
        evidence = f"\n<evidence>{self._quote(seed)}</evidence>" if self._parts.fixed else ""
        answer = f"<answer>\n{self._work_out(seed.draft)}\n</answer>{evidence}"
        return f'<item n="{number}">\n{seed.draft.input}\n{answer}\n</item>'

    def _quote(self, seed: Seed) -> str:
        """The seed's own evidence where the prompt shows it, else some words from the middle of what it shows."""
        texts = [text for _, text in self._parts.fixed]
        if not texts or any(seed.draft.evidence and seed.draft.evidence in text for text in texts):
            return seed.draft.evidence or "none"
        words = max(texts, key=len).split()
        middle = len(words) // 2
        # A tag in a quote would be read as one of the answer's own.
        starts = sorted(range(0, len(words), _QUOTED), key=lambda start: abs(start - middle))
        quotes = (" ".join(words[start : start + _QUOTED]) for start in (middle, *starts))
        return next((quote for quote in quotes if "<" not in quote), "none")

    # --- JSON -----------------------------------------------------------------------------------------

    def _fill(self, schema: Mapping[str, Any], name: str, context: Mapping[str, Any], seed: Seed) -> Any:
        """An instance of a schema, whose texts go by the name of their key."""
        if name == "answer" and context.get("reading") in ("object", "label_set"):
            return read_structure(self._format.render(seed.draft))
        if "enum" in schema:
            options = schema["enum"]
            if name == "second":
                return ""
            if self.label in options:
                return self.label
            return seed.draft.output if seed.draft.output in options else options[0]
        kind = schema["type"]
        if kind == "object":
            return {key: self._fill(each, key, context, seed) for key, each in schema["properties"].items()}
        if kind == "array":
            return self._fill_list(schema, name, context, seed)
        if kind == "boolean":
            return (name not in _FALSE) != self.fails
        if kind == "integer":
            wanted = _SHARE if name == "share" else _GRADE
            return max(schema.get("minimum", 0), min(schema.get("maximum", wanted), wanted))
        if self._parts.fixed and COPIED in schema.get("description", ""):
            return self._copy(next(self._number))
        return self._say(name, context, seed)

    def _copy(self, number: int) -> str:
        """A word of the fixed parts, another one for each number."""
        words = list(dict.fromkeys(fold_words(self._parts.fixed_text))) or ["it"]
        return words[number * _STRIDE % len(words)]

    def _fill_list(
        self, schema: Mapping[str, Any], name: str, context: Mapping[str, Any], seed: Seed
    ) -> list[Any]:
        items, size = schema["items"], schema.get("minItems", 1)
        if name == "topics":
            size = context["count"]
        if name == "near":
            return [next(iter(context["names"]))]
        if name == "wrong":
            others = [choice for choice in seed.draft.choices if choice != seed.draft.output]
            return (others or [f"{seed.draft.output} {n}" for n in range(size)])[:size]
        filled = []
        for place in range(size):
            each = self._fill(items, name, context, next(self._next))
            filled.append(
                {**each, **{key: place + 1 for key in _NUMBERS if key in each}}
                if isinstance(each, dict)
                else each
            )
        return filled

    def _say(self, name: str, context: Mapping[str, Any], seed: Seed) -> str:
        draft, reading = seed.draft, context.get("reading", "")
        if name in ("texts", context.get("what")):
            return draft.input
        if name == "evidence":
            return self._quote(seed)
        if name == "working":
            return self._work_out(draft)
        if name == "correct":
            return draft.output
        if name == "answer" and reading == "options":
            return "A"
        if name == "answer" and reading == "text":
            return draft.output.partition(". ")[0]
        if name == "answer":
            return self._format.extract_final_answer(draft, self._card)
        return self._texts.get(name, "").format(next(self._number))


def _write_chat(number: int, model: Draft) -> str:
    """A new conversation as long as its model."""
    return f'<item n="{number}">\n{render_turns(model.turns)}\n</item>'


def _make_tests(draft: Draft) -> list[str]:
    """Tests of the usual length for a solution that came without."""
    found = _NAMED.search(draft.output)
    return [f"assert {found[1] if found else 'solve'}({n}, {n + 1}) == {n + 2}" for n in range(3)]
