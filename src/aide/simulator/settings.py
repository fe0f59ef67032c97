"""What shapes the simulator: shares of what goes wrong, speed, and faults on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, ValidationError

from aide.errors import InputError

WIRE_FAULTS: Final = ("429", "500", "503", "html", "error200", "reset", "timeout", "slow")
SPOILING_FAULTS: Final = ("empty", "null", "fence", "prose", "think", "truncate", "garbage", "refusal")
TIER_FAULTS: Final = ("flex_full",)  # of calls in the tier `flex`: there is no capacity for them
BATCH_FAULTS: Final = ("expired", "failed", "missing", "twice")  # of batches; of lines the others
_FAULTS: Final = WIRE_FAULTS + SPOILING_FAULTS + TIER_FAULTS + BATCH_FAULTS

Share = Annotated[float, Field(ge=0, le=1)]


class SimulatorSettings(BaseModel, frozen=True, extra="forbid"):
    """Everything that shapes an answer or its delivery."""

    near: Share = 0.03
    """New texts that nearly equal what a sibling gets."""
    repeat: Share = 0.0
    """New texts that repeat another word for word."""
    mislabel: Share = 0.0
    """Blind labels that are wrong at random."""
    wrong: Share = 0.05
    """First answers in the other formats that are wrong; a correction heals them."""
    low: Share = 0.15
    """New texts graded too low at first; a revision mends most of them."""
    reject: Share = 0.1
    """New texts that no revision saves."""
    accept_all: bool = False
    """The judge finds no fault with anything."""
    latency: Annotated[float, Field(ge=0)] = 0.0
    """Mean seconds of an answer; lognormal, so that stragglers exist."""
    batch_latency: Annotated[float, Field(ge=0)] = 0.0
    """Seconds from the submission of a batch to its end."""
    slots: Annotated[int, Field(ge=0)] = 0
    """Answers in the making at once, the rest queue in order; 0 for no bound."""
    faults: Mapping[str, Share] = {}
    """Kind of fault and its share of requests."""
    canned: bool = False
    """Serve a repeated request from memory, without faults or latency: the cheapest server."""

    @classmethod
    def from_query(cls, query: str) -> "SimulatorSettings":
        """Settings from `near=0.2&slots=8&faults=429:0.1`; raises `InputError` for what it does not know."""
        pairs = parse_qsl(query, keep_blank_values=True)
        given: dict[str, Any] = {name.replace("-", "_"): value or "true" for name, value in pairs}
        try:
            return cls.model_validate({**given, "faults": read_faults(given.get("faults", ""))})
        except ValidationError as fault:
            told, hint = fault.errors()[0], f"its switches are {', '.join(cls.model_fields)}"
            raise InputError(f"simulator switch {told['loc'][0]!r}: {told['msg']}", hint=hint) from None


def read_faults(text: str) -> dict[str, float]:
    """Faults from `429:0.1,truncate:0.05`.

    Raises:
        InputError: a kind that does not exist, a share that is none, or shares of more than 1 together.
    """
    faults: dict[str, float] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        kind, _, share = item.partition(":")
        if kind not in _FAULTS:
            hint = f"one of: {', '.join(_FAULTS)}"
            raise InputError(f"the simulator has no fault {kind!r}", hint=hint)
        try:
            faults[kind] = float(share or "0.1")
        except ValueError:
            raise InputError(f"fault {kind} takes a share between 0 and 1, not {share!r}") from None
    for family in (WIRE_FAULTS, SPOILING_FAULTS, TIER_FAULTS, *((kind,) for kind in BATCH_FAULTS)):
        shares = [faults.get(kind, 0.0) for kind in family]
        if min(shares) < 0 or sum(shares) > 1:
            raise InputError(f"the shares of {', '.join(family)} lie between 0 and 1, also together")
    return faults
