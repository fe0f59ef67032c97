"""What goes wrong on the way: turned away, broken off, or answered with something unusable."""

from collections.abc import Mapping
from typing import Any, Final

from aide.simulator.dice import share_of
from aide.simulator.settings import SPOILING_FAULTS, WIRE_FAULTS

Reply = tuple[int, dict[str, str], dict[str, Any] | bytes]

_TYPES: Final = {429: "rate_limit_exceeded", 500: "server_error", 503: "overloaded"}
_GARBAGE: Final = "Certainly, here it comes: {[ correct => yes,, relevance"


class Faults:
    """Chooses faults by what a request says; the same request is hit once, so that asking again heals."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._wire = [(kind, shares[kind]) for kind in WIRE_FAULTS if shares.get(kind)]
        self._spoiling = [(kind, shares[kind]) for kind in SPOILING_FAULTS if shares.get(kind)]
        self._hit: set[str] = set()

    def on_wire(self, key: str) -> str:
        """The fault that meets a request on its way, empty for none."""
        return self._once("wire", key, self._wire)

    def on_answer(self, key: str, corrected: bool) -> str:
        """The fault that spoils an answer, empty for none; a corrected question is always answered well."""
        return "" if corrected else self._once("answer", key, self._spoiling)

    def _once(self, family: str, key: str, shares: list[tuple[str, float]]) -> str:
        if not shares:
            return ""
        place = share_of(family, key)
        for kind, share in shares:
            if place < share:
                name = family + key
                if name in self._hit:
                    return ""
                self._hit.add(name)
                return kind
            place -= share
        return ""


def refuse(kind: str, latency: float) -> Reply:
    """The answer on the wire in place of a completion."""
    if kind == "html":
        page = (
            b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
        )
        return 502, {"content-type": "text/html"}, page
    if kind == "error200":
        return 200, {}, error("The simulator failed while it was answering.", "server_error", 500)
    status = int(kind)
    headers = {"retry-after": str(max(1, round(latency)))} if status in (429, 503) else {}
    return status, headers, error(f"The simulator was told to answer {status} here.", _TYPES[status], status)


def error(message: str, kind: str, code: int | str) -> dict[str, Any]:
    """An error body as OpenAI writes it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": str(code)}}


def spoil(kind: str, completion: dict[str, Any]) -> dict[str, Any]:
    """The completion with the fault in it; the original stays as it is."""
    choice = completion["choices"][0]
    text: str = choice["message"]["content"]
    finish = "stop"
    content: str | None = text
    extra: dict[str, Any] = {}
    if kind == "empty":
        content = ""
    elif kind == "null":
        content = None
    elif kind == "fence":
        content = f"```json\n{text}\n```" if text.startswith("{") else text
    elif kind == "prose":
        content = (
            f"Sure, here is what you asked for:\n\n{text}\n\nLet me know if you need more."
            if text[:1] == "{"
            else text
        )
    elif kind == "think":
        content = f"<think>\nWhat is wanted here, and in which form?\n</think>\n\n{text}"
    elif kind == "truncate":
        content, finish = text[: max(1, len(text) // 2)], "length"
    elif kind == "garbage":
        content = _GARBAGE if text.startswith("{") else text
    elif kind == "refusal":
        content, extra = None, {"refusal": "I'm sorry, I can't help with that."}
    message = {**choice["message"], "content": content, **extra}
    return {**completion, "choices": [{**choice, "message": message, "finish_reason": finish}]}
