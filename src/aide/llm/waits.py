"""How long a server asks to wait, in all the spellings that servers have for it; everything in seconds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aide.text.figures import read_duration

_SPOKEN: Final = re.compile(
    r"(?:try again|retry|wait|available)\D{0,40}?"
    r"((?:\d{1,12}(?:\.\d{1,12})?\s*(?:ms|s|m|h)(?:ec(?:onds?)?|in(?:utes?)?)?)+)",
    re.IGNORECASE,
)
# In this order: milliseconds are the finer ones, and a proxy passes the provider's own header on under its prefix.
_RETRY: Final = ("retry-after-ms", "retry-after", "llm_provider-retry-after-ms", "llm_provider-retry-after")


HTTP_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"


def read_retry_after(headers: Mapping[str, str], data: object, message: str) -> float | None:
    """The wait that an answer names in its headers, its body (Google's `retryDelay`) or its words, else `None`.

    `headers` have lower-case names. A date is measured against the answer's own `date`, so that neither clock
    need be right; without one it says nothing.
    """
    for name in _RETRY:
        value = headers.get(name)
        if value is None:
            continue
        seconds = read_duration(value)
        if seconds is not None:
            return (
                seconds / 1000
                if name.endswith("-ms") and value.strip().replace(".", "").isdigit()
                else seconds
            )
        until = _until(value, headers.get("date"))
        if until is not None:
            return until
    delay = _retry_delay(data)
    if delay is not None:
        return delay
    words = _SPOKEN.search(message)
    return read_duration(words.group(1)) if words else None


def read_exhausted(headers: Mapping[str, str]) -> float:
    """Seconds until the server takes more, where its `x-ratelimit-*` headers say that nothing is left; else 0."""
    wait = 0.0
    for kind in ("requests", "tokens"):
        left = headers.get(f"x-ratelimit-remaining-{kind}")
        reset = headers.get(f"x-ratelimit-reset-{kind}")
        if left is not None and reset is not None and left.strip() == "0":
            wait = max(wait, read_duration(reset) or 0.0)
    return wait


@dataclass(frozen=True, slots=True)
class Reset:
    """When a count of the server's starts anew."""

    seconds: float | None = None
    """From the answer on; `None` where nobody can say without a clock."""
    at: str = ""
    """The moment for a person; empty where the server gave a duration only."""


NO_RESET: Final = Reset()
EPOCH: Final = (
    1e9  # from here on a number is a moment in Unix time, from a thousand times that on in milliseconds
)


def read_reset(headers: Mapping[str, str], error: Mapping[str, Any]) -> Reset:
    """What `X-RateLimit-Reset` says where nothing remains; of the answer, or of the provider behind a router.

    `headers` have lower-case names; `error` is the body's own object, in which routers quote the provider's headers.
    """
    metadata = error.get("metadata")
    quoted = metadata.get("headers") if isinstance(metadata, Mapping) else None
    inner = (
        {str(name).lower(): str(value) for name, value in quoted.items()}
        if isinstance(quoted, Mapping)
        else {}
    )
    for said in (headers, inner):
        if said.get("x-ratelimit-remaining", "").strip() == "0" and "x-ratelimit-reset" in said:
            return _place_reset(said["x-ratelimit-reset"], headers.get("date"))
    return NO_RESET


def _place_reset(value: str, now: str | None) -> Reset:
    seconds = read_duration(value)
    if seconds is None or seconds < EPOCH:
        return Reset(seconds)
    moment = seconds / 1000 if seconds >= 1000 * EPOCH else seconds
    try:
        at = datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_RESET
    return Reset(_until(at.strftime(HTTP_DATE), now), f"{at:%Y-%m-%d %H:%M} UTC")


def _until(date: str, now: str | None) -> float | None:
    if now is None:
        return None
    try:
        gap = (_moment(date) - _moment(now)).total_seconds()
    except (ValueError, TypeError, IndexError):
        return None
    return max(gap, 0.0)


def _moment(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _retry_delay(data: Any) -> float | None:
    if isinstance(data, list):
        data = data[0] if data else None
    error = data.get("error") if isinstance(data, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and isinstance(detail.get("retryDelay"), str):
            return read_duration(detail["retryDelay"])
    return None
