"""Figures as text: counts, shares and durations, the same in every message and on every page; durations read, too."""

import re
from typing import Final

_UNITS: Final = ((1e9, "G"), (1e6, "M"))
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_DURATION: Final = 100  # characters: what a header or a sentence has, and no page of digits
_PIECE: Final = re.compile(
    r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|s|m|h|d)(?:ec(?:onds?)?|in(?:utes?)?)?", re.IGNORECASE
)


def format_count(number: float) -> str:
    """A count in few characters: `3,760`, `340k`, `13.7M`.

    Up to 100,000 it is exact: so many records a person may want to add up.
    """
    for size, unit in _UNITS:
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number / 1e3:.0f}k" if number >= 1e5 else f"{number:,.0f}"


def format_plural(count: int, noun: str) -> str:
    """A count and its noun: `1 record`, `2,000 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_share(part: float, whole: float) -> str:
    """A share as a percentage; a dash if there is nothing to share."""
    return f"{part / whole:.0%}" if whole else "–"


def format_duration(seconds: float | None, *, tenths: bool = False) -> str:
    """A duration as `1h 02m`, `2m 05s` or `5s` (with `tenths`: `5.2s`); empty if it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    if minutes:
        return f"{minutes}m {rest:02}s"
    return f"{seconds:.1f}s" if tenths else f"{rest}s"


def format_rate(rate: float) -> str:
    """Records a second, or a minute or an hour where they are slower; empty where there are none yet."""
    for seconds, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if rate * seconds >= 1:
            return f"{rate * seconds:.1f} records/{unit}"
    return "less than 1 record/h" if rate > 0 else ""


def format_left(seconds: float) -> str:
    """An estimate of the time that is left, no more exact than it can be: `about 4 min left`."""
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute left"
    if minutes < 10:
        return f"about {round(minutes)} min left"
    if minutes < 90:
        return f"about {5 * round(minutes / 5)} min left"
    hours = minutes / 60
    return f"about {hours:.1f} h left" if hours < 10 else f"about {round(hours):,} h left"


def read_duration(text: str) -> float | None:
    """Seconds in `59`, `0.5`, `12ms`, `7.66s`, `6m0s`; `None` for what is negative (`-1`) or no duration at all."""
    text = text.strip()
    if len(text) > _LONGEST_DURATION:
        return None
    try:
        seconds = float(text)
    except ValueError:
        pieces = _PIECE.findall(text)
        if not pieces or _PIECE.sub("", text).strip(" ,"):
            return None
        return sum(float(number) * _SECONDS[unit.lower()] for number, unit in pieces)
    return seconds if 0 <= seconds < float("inf") else None
