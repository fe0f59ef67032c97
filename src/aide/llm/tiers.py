"""Tiers of service: what providers call them, which one answered, and how much patience they take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aide.config.prices import STANDARD, STANDARD_NAMES
from aide.errors import InputError
from aide.text.cleaning import clean_text

FIELD: Final = "service_tier"
FLEX: Final = "flex"
PRIORITY: Final = "priority"

# OpenAI advises a quarter of an hour for one answer in flex; Google aims at 1 to 15 minutes.
FLEX_TIMEOUT: Final = 900.0
# Capacity for flex comes and goes with the hours of the day. Half an hour without any answer is no sign of a fault yet.
FLEX_PATIENCE: Final = 1800.0
# To be turned away is what flex is cheap for. At half a minute between two attempts these last two hours.
FLEX_ATTEMPTS: Final = {"rate": 240, "overload": 240}
# So often turned away in a row, a call goes on in the tier to fall back to: some seconds, in which a burst of
# one's own has passed.
FALL_BACK_AFTER: Final = 4

# Where a tier has another name than here. None: it has none, and whoever asks for one is told before the first call.
_LONGEST: Final = 40  # of a name that a server sends
_WORDS: Final[Mapping[str, Mapping[str, str] | None]] = {
    "api.openai.com": {STANDARD: "default"},
    "openai.azure.com": {STANDARD: "default"},
    "api.groq.com": {STANDARD: "on_demand", PRIORITY: "performance"},
    "api.anthropic.com": None,  # its layer for OpenAI's clients passes over the field
}


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier that calls ask for."""

    name: str
    """By which it is priced."""
    word: str
    """What the provider calls it."""


def choose_tiers(base_url: str, names: Sequence[str]) -> tuple[Tier, ...]:
    """The tiers of that address; the second is for calls that the first has no capacity for.

    Raises:
        InputError: the provider is known to have no tiers.
    """
    host = urlsplit(base_url).hostname or ""
    words = next((each for name, each in _WORDS.items() if host == name or host.endswith(f".{name}")), {})
    if names and words is None:
        raise InputError(f"{host} has no tiers for clients like this one", hint="leave out --tier")
    return tuple(Tier(name, (words or {}).get(name, name)) for name in names)


def read_served_tier(data: Mapping[str, Any], headers: Mapping[str, str], asked: str) -> str:
    """The tier in which a call was answered, and is billed; as it was asked for where the server does not say.

    Empty for the standard tier. A server may serve a call in another tier than was asked for.
    """
    said = data.get(FIELD) or headers.get("x-gemini-service-tier")
    name = clean_text(said)[:_LONGEST].lower() if isinstance(said, str) else asked
    return "" if name in STANDARD_NAMES else PRIORITY if name == "performance" else name
