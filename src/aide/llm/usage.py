"""Tokens and money of a call: as the server reports them, else estimated."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aide.records import Usage

CHARS_PER_TOKEN: Final = 4  # of an alphabet, about; used only where no server reports a count
ABSURD: Final = 100_000_000  # no window is that large: a server that reports more counts something else
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: four characters of an alphabet each, one of Chinese, Japanese or Korean."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // CHARS_PER_TOKEN)


def read_written_text(data: Mapping[str, Any]) -> str:
    """All that the model wrote in its first choice, thinking included; for counting, not for reading."""
    try:
        message = data["choices"][0]["message"]
    except (LookupError, TypeError):
        return ""
    if not isinstance(message, Mapping):
        return ""
    parts = (message.get(name) for name in ("content", "reasoning", "reasoning_content", "refusal"))
    return "".join(part for part in parts if isinstance(part, str))


def read_usage(data: Mapping[str, Any], prompt_chars: int, text: str) -> Usage:
    """Usage of one answered call.

    Never fails: what is missing, negative or absurd in `data["usage"]` is estimated from the length of the
    prompt in characters and from the answer's text, and the call then counts as estimated. Cached tokens are
    part of `prompt`, reasoning tokens part of `completion`.
    """
    reported = data.get("usage")
    reported = reported if isinstance(reported, Mapping) else {}
    prompt = _count(reported, "prompt_tokens")
    completion = _count(reported, "completion_tokens")
    total = _count(reported, "total_tokens")
    if prompt and completion is not None and total is not None and total > prompt + completion:
        completion = total - prompt  # Gemini's layer leaves the thinking out of completion_tokens
    # A server that reports no tokens for a text that is there counts nothing at all.
    silent = not prompt or completion is None or (completion == 0 and bool(text))
    prompt = prompt or -(-prompt_chars // CHARS_PER_TOKEN)
    completion = estimate_tokens(text) if completion is None or (completion == 0 and text) else completion
    inside = reported.get("prompt_tokens_details")
    cached = _count(inside, "cached_tokens") or _count(reported, "prompt_cache_hit_tokens") or 0
    spent = reported.get("completion_tokens_details")
    reasoning = _count(spent, "reasoning_tokens") or _count(reported, "reasoning_tokens") or 0
    return Usage(1, prompt, completion, min(cached, prompt), min(reasoning, completion), int(silent))


def compute_cost(usage: Usage, price_in: float, price_out: float, price_cached: float | None = None) -> float:
    """US dollars, from prices per million tokens; cached prompt tokens cost `price_in` unless they have a price."""
    cached = usage.cached if price_cached is not None else 0
    fresh = max(usage.prompt - cached, 0)
    return (fresh * price_in + cached * (price_cached or 0.0) + usage.completion * price_out) / 1_000_000


def _count(reported: object, name: str) -> int | None:
    value = reported.get(name) if isinstance(reported, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if 0 <= value < ABSURD else None
