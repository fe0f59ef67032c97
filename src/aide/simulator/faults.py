"""What goes wrong on the way: refused, broken off, or answered with something unusable."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aide.simulator.texts import draw_share

Reply = tuple[int, dict[str, str], dict[str, Any] | bytes]

_TYPES: Final = {429: "rate_limit_exceeded", 500: "server_error", 503: "overloaded"}
_PAGE: Final = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
# What becomes of the text of an answer; plain text stays where nobody could tell it from what was wanted.
_SPOILT: Final[Mapping[str, Callable[[str], str | None]]] = {
    "empty": lambda text: "",
    "null": lambda text: None,
    "refusal": lambda text: None,
    "think": lambda text: f"<think>\nWhat is wanted here?\n</think>\n\n{text}",
    "truncate": lambda text: text[: max(1, len(text) // 2)],
    "fence": lambda text: f"```json\n{text}\n```" if text[:1] == "{" else text,
    "prose": lambda text: f"Sure, here it is:\n\n{text}\n\nDo you need more?" if text[:1] == "{" else text,
    "garbage": lambda text: "Here it comes: {[ correct => yes,," if text[:1] == "{" else text,
}


class Faults:
    """Chooses faults by what a request says; the same request is hit once, so that asking again heals."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares, self._hit = shares, set[tuple[str, str]]()

    def draw(self, kinds: Sequence[str], key: str) -> str:
        """The fault of one of these kinds that hits the request, empty for none."""
        place = draw_share(kinds[0], key) if self._shares else 1.0
        for kind in kinds:
            place -= self._shares.get(kind, 0.0)
            if place < 0:
                known = (kind, key) in self._hit
                self._hit.add((kind, key))
                return "" if known else kind
        return ""


def refuse(kind: str, latency: float) -> Reply:
    """The answer on the wire in place of a completion."""
    if kind == "html":
        return 502, {"content-type": "text/html"}, _PAGE
    if kind == "error200":
        return 200, {}, error("The simulator failed while it was answering.", "server_error", 500)
    status = 503 if kind == "timeout" else int(kind)
    headers = {"retry-after": str(max(1, round(latency)))} if status in (429, 503) else {}
    return status, headers, error(f"The simulator was told to answer {status} here.", _TYPES[status], status)


def error(message: str, kind: str, code: int) -> dict[str, Any]:
    """An error body as OpenAI writes it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": str(code)}}


def spoil(kind: str, completion: dict[str, Any]) -> dict[str, Any]:
    """The completion with the fault in it; the original stays as it is."""
    choice = completion["choices"][0]
    message = {**choice["message"], "content": _SPOILT[kind](choice["message"]["content"])}
    if kind == "refusal":
        message["refusal"] = "I'm sorry, I can't help with that."
    finish = "length" if kind == "truncate" else "stop"
    return {**completion, "choices": [{**choice, "message": message, "finish_reason": finish}]}
