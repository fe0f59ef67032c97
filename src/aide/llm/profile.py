"""What an endpoint honours for a model, learned from what it refuses: once, for all calls.

No two servers agree on what of a request they take, and lists of who takes what are wrong within months. So
nothing is assumed: a request goes out whole, and what the server refuses is left out from then on.

Structured output is a ladder of five rungs; each promises less than the one above it:

`strict` (json_schema, strict) · `schema` (json_schema without `strict` and without the keywords that many
grammars lack) · `object_schema` (json_object with a `schema` beside it) · `object` (json_object) · `text`
(nothing).

On the last three the JSON Schema itself stands at the end of the last user message. A refusal that names the
response format leads one rung down; so does one that nobody can explain, on a rung that never worked. Where even
`text` is refused, the fault was not the ladder's and it stands as before.

A server that accepts a rung and ignores it is found out by what it answers: when `ENOUGH` answers of a rung were
unusable, and at least half of all its answers, the ladder goes one rung down. Where they were no JSON at all it
goes down to where the schema stands in the prompt, for a server that has not read one field will not read another
that says the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from aide.llm.faults import WireFault
from aide.llm.request import ChatRequest

RUNGS: Final = ("strict", "schema", "object_schema", "object", "text")
LOWER: Final = RUNGS[2:]
ENOUGH: Final = 3  # one unusable answer is a model's slip, a second may be; half of all answers are no slips
INSTRUCTION: Final = "Answer with one JSON value and nothing around it. It must fit this JSON Schema:\n"
LENGTH: Final = "maxLength"
SAMPLING: Final = ("temperature", "top_p", "seed")
# Keywords that grammars of common servers lack. What they demand is checked again when the answer is read.
LOOSE: Final = frozenset(
    {"minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
     "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "title", "default",
     "examples", "$schema"}
)  # fmt: skip

_FORMAT: Final = re.compile(
    r"response_format|response format|json_schema|json_object|json schema|structured.?output|grammar|"
    r"invalid schema|json mode|generate parser|'schema'|\"schema\"|\bstrict\b"
)
_UNWANTED: Final = re.compile(
    r"unsupported|not support|unexpected|unrecognized|unrecognised|unknown|not permitted|not allowed|"
    r"forbidden|deprecated|only the default|cannot both|extra inputs|extra_forbidden|incompatible"
)
_NO_SYSTEM: Final = re.compile(
    r"system role|system message|role.{0,5}system|'system'|must alternate|"
    r"developer instruction is not enabled"
)
_NUMBER: Final = re.compile(r"\d+")


@dataclass(slots=True)
class EndpointProfile:
    """What one endpoint honours for one model."""

    rung: int = 0
    """The rung of the ladder, as an index of `RUNGS`."""
    rungs: dict[str, int] = field(default_factory=dict)
    """Lower rungs that single schemas need, by the schema's name."""
    limit_name: str = "max_tokens"
    """What the limit of output is called."""
    dropped: set[str] = field(default_factory=set)
    """Sampling fields that are refused, and `maxLength` where schemas may not bound strings."""
    folds_system: bool = False
    """True where there is no system role: what it says opens the first user message."""
    most_output: int | None = None
    """Most tokens of output that may be asked for."""
    thinking: int = 0
    """Tokens of output that are asked for beside those of the answer, for what the model thinks first."""
    proven: set[str] = field(default_factory=set)
    """Shapes of requests that have been answered: `text`, `schema`."""
    answers: int = 0
    """Answers on the present rung."""
    invalid: int = 0
    """Of them those that did not fit their schema."""
    shapeless: int = 0
    """Of these those that were no JSON at all."""
    grace: int = 0
    """So many notes of invalid answers may still speak of the rung above and are passed over."""
    version: int = 0
    """Grows with each lesson, so that a call under way knows that it was sent under an older one."""
    guessed_from: int | None = None
    """The rung from which unexplained refusals led down; `None` where each was explained."""

    def get_rung(self, schema_name: str) -> int:
        """The rung for a schema: the common one, or a lower one that this schema alone needs."""
        return max(self.rung, self.rungs.get(schema_name, 0))

    def find_limit(self, request: ChatRequest) -> int:
        """Tokens of output that are asked for: for the answer, and for thoughts before it."""
        wanted = request.max_output + self.thinking
        return min(wanted, self.most_output or wanted)

    def build_body(self, request: ChatRequest, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The request as this endpoint takes it: the body, and what of it the journal keeps besides the messages."""
        messages = [message.as_dict() for message in request.messages]
        if self.folds_system:
            messages = _fold_system(messages)
        sent: dict[str, Any] = {"model": model}
        sent[self.limit_name] = self.find_limit(request)
        for name in SAMPLING:
            value = getattr(request, name)
            if value is not None and name not in self.dropped:
                sent[name] = value
        sent.update(request.extra)
        body = {**sent, "messages": messages}
        if request.schema is not None:
            rung = RUNGS[self.get_rung(request.schema_name)]
            sent["rung"] = rung
            if rung in LOWER:
                messages[-1] = _append_schema(messages[-1], request.schema)
            if rung != "text":
                without = frozenset(self.dropped & {LENGTH})
                body["response_format"] = build_response_format(
                    rung, request.schema_name or "answer", request.schema, without
                )
        return body, sent

    def learn(self, fault: WireFault, request: ChatRequest, *, explained_only: bool) -> bool:
        """Adapt to a refusal; true where asking again now makes sense.

        `explained_only`: the refusal may have another cause (a 5xx), so only its own words may teach.
        """
        said = fault.said
        learned = (
            self._learn_limit(fault, request)
            or self._learn_lengths(said)
            or self._learn_sampling(fault, said, request)
            or self._learn_system(said, request)
            or self._learn_rung(said, request, explained_only=explained_only)
        )
        self.version += learned
        return learned

    def _learn_limit(self, fault: WireFault, request: ChatRequest) -> bool:
        said = f"{fault.param} {fault.message}".lower()
        if self.limit_name == "max_tokens" and "max_completion_tokens" in said:
            self.limit_name = "max_completion_tokens"
            return True
        if self.limit_name not in said:
            return False
        if self.limit_name == "max_completion_tokens" and is_unwanted(said):
            self.limit_name = "max_tokens"
            return True
        asked = self.find_limit(request)
        # The bound stands somewhere in the words: a number below what was asked, and no version or status.
        lower = [n for n in map(int, _NUMBER.findall(said)) if 16 <= n < asked]
        if not lower:
            return False
        # Some servers name their whole window in place of a bound of the output: leave half of it to the prompt.
        self.most_output = max(lower) // 2 if "max_model_len" in said or "context" in said else max(lower)
        return True

    def _learn_lengths(self, said: str) -> bool:
        """Some grammars bound everything but strings: a schema without that bound is worth more than a lower rung."""
        if LENGTH in self.dropped or LENGTH.casefold() not in said.casefold():
            return False
        self.dropped.add(LENGTH)
        return True

    def _learn_sampling(self, fault: WireFault, said: str, request: ChatRequest) -> bool:
        if not is_unwanted(said):
            return False
        named = [
            name
            for name in (
                "top_p",
                "seed",
                "temperature",
            )  # where two exclude each other, the temperature stays
            if name not in self.dropped
            and getattr(request, name) is not None
            and (fault.param == name or names_field(said, name))
        ]
        self.dropped.update(named[:1])
        return bool(named)

    def _learn_system(self, said: str, request: ChatRequest) -> bool:
        if self.folds_system or request.messages[0].role != "system" or not _NO_SYSTEM.search(said):
            return False
        self.folds_system = True
        return True

    def _learn_rung(self, said: str, request: ChatRequest, *, explained_only: bool) -> bool:
        if request.schema is None:
            return False
        rung = self.get_rung(request.schema_name)
        named = bool(_FORMAT.search(said))
        proven = "schema" in self.proven
        if rung == len(RUNGS) - 1 or not (named or (not explained_only and not proven)):
            return False
        # The rung has worked for other schemas, so it is this schema that the server cannot take.
        if proven:
            self.rungs[request.schema_name] = rung + 1
            return True
        if not named and self.guessed_from is None:
            self.guessed_from = rung
        self.rung = rung + 1
        return True

    def forget_guesses(self) -> None:
        """Take back what unexplained refusals taught: even the lowest rung was refused, so it was not the ladder."""
        if self.guessed_from is not None:
            self.rung, self.guessed_from = self.guessed_from, None
            self.version += 1

    def covers(self, request: ChatRequest) -> bool:
        """True when an answered call has shown that this one is accepted.

        One with a schema shows it for plain text too, which asks for less.
        """
        return "schema" in self.proven or (request.schema is None and "text" in self.proven)

    def note_answer(self, request: ChatRequest) -> None:
        """A call of this shape was answered: what was sent is accepted."""
        if request.schema is None:
            self.proven.add("text")
            return
        self.proven.add("schema")
        self.guessed_from = None
        self.answers += 1

    def note_invalid(self, rung: str, in_flight: int, *, shapeless: bool = False) -> bool:
        """An answer on `rung` (empty: not known) did not fit its schema, or was no JSON at all (`shapeless`);
        true where the ladder went down.

        Where the rung is not known, notes that may still speak of answers of the rung above are passed over:
        as many as were in flight when it was left.
        """
        if (rung and rung != RUNGS[self.rung]) or self.rung == len(RUNGS) - 1:
            return False
        if not rung and self.grace > 0:
            self.grace -= 1
            return False
        self.invalid += 1
        self.shapeless += shapeless
        if self.invalid < ENOUGH or 2 * self.invalid < self.answers:
            return False
        self.rung = max(self.rung + 1, RUNGS.index(LOWER[0]) if self.shapeless == self.invalid else 0)
        self.grace = in_flight  # these were sent on the rung above, and may come back invalid too
        self.answers = self.invalid = self.shapeless = 0
        self.proven.discard("schema")
        self.version += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The profile as the run folder keeps it: what was learned, without the counts."""
        return {
            "rung": RUNGS[self.rung],
            "rungs": {name: RUNGS[rung] for name, rung in self.rungs.items()},
            "limit_name": self.limit_name,
            "dropped": sorted(self.dropped),
            "folds_system": self.folds_system,
            "most_output": self.most_output,
            "thinking": self.thinking,
            "proven": sorted(self.proven),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "EndpointProfile":
        """The inverse of `as_dict`; raises `ValueError`, `KeyError` or `TypeError` for what it never wrote."""
        return cls(
            rung=RUNGS.index(data["rung"]),
            rungs={name: RUNGS.index(rung) for name, rung in data["rungs"].items()},
            limit_name=str(data["limit_name"]),
            dropped=set(data["dropped"]),
            folds_system=bool(data["folds_system"]),
            most_output=data["most_output"],
            thinking=int(data.get("thinking", 0)),
            proven=set(data["proven"]),
        )


def is_unwanted(said: str) -> bool:
    """True when a refusal, in lower case, says that something of the request is not taken."""
    return bool(_UNWANTED.search(said))


def names_field(said: str, name: str) -> bool:
    """True when a refusal, in lower case, names that field of the request."""
    return bool(re.search(rf"\b{re.escape(name.lower())}\b", said))


def build_response_format(
    rung: str, name: str, schema: Mapping[str, Any], without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The `response_format` field of a rung above `text`; `without` are keywords that the server refused."""
    if rung == "strict":
        strict = loosen_schema(schema, without) if without else schema
        return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": strict}}
    if rung == "schema":
        return {"type": "json_schema", "json_schema": {"name": name, "schema": loosen_schema(schema)}}
    return {"type": "json_object", "schema": schema} if rung == "object_schema" else {"type": "json_object"}


def loosen_schema(schema: Any, without: frozenset[str] = LOOSE) -> Any:
    """The schema without these keywords, of themselves those that many servers refuse; properties are left alone."""
    if isinstance(schema, list):
        return [loosen_schema(item, without) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            out[key] = {name: loosen_schema(inner, without) for name, inner in value.items()}
        elif key in ("enum", "const", "required"):
            out[key] = value
        elif key not in without:
            out[key] = loosen_schema(value, without)
    return out


def _append_schema(message: dict[str, str], schema: Mapping[str, Any]) -> dict[str, str]:
    return {**message, "content": f"{message['content']}\n\n{INSTRUCTION}{orjson.dumps(schema).decode()}"}


def _fold_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Without a system role: what it said opens the first user message."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [m for m in messages if m["role"] != "system"]
    if not rest:
        return [{"role": "user", "content": system}]
    return [{**rest[0], "content": f"{system}\n\n{rest[0]['content']}"}, *rest[1:]] if system else rest
