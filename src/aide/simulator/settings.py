"""What shapes the simulator: shares of what goes wrong, speed, and faults on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import parse_qsl

from aide.errors import InputError

WIRE_FAULTS: Final = ("429", "500", "503", "html", "error200", "reset", "timeout", "slow")
SPOILING_FAULTS: Final = ("empty", "null", "fence", "prose", "think", "truncate", "garbage", "refusal")
FAULTS: Final = WIRE_FAULTS + SPOILING_FAULTS


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Everything that shapes an answer or its delivery; shares lie in 0..1.

    Attributes:
        near: of synthesized texts, those nearly equal to what a sibling gets.
        repeat: of synthesized texts, those that repeat another word for word.
        mislabel: of blind label answers, those that are wrong at random.
        wrong: of first answers in the other formats, those that are wrong; a correction heals them.
        low: of candidates, those graded too low at first; a revision mends most of them.
        reject: of candidates, those that no revision saves.
        accept_all: the judge finds no fault with anything.
        latency: mean seconds of an answer; lognormal, so that stragglers exist.
        slots: answers in the making at once, the rest queue in order; 0 for no bound.
        rpm: requests in any 60 seconds before 429; 0 for no bound.
        faults: kind of fault and its share of requests.
        canned: keep each answer and serve the same request from memory, without faults or latency: the cheapest server.
        corpus: files of real examples, comma-separated: new inputs are taken from them (`corpus.Corpus`).
    """

    near: float = 0.03
    repeat: float = 0.0
    mislabel: float = 0.0
    wrong: float = 0.05
    low: float = 0.15
    reject: float = 0.1
    accept_all: bool = False
    latency: float = 0.0
    slots: int = 0
    rpm: int = 0
    faults: Mapping[str, float] = field(default_factory=dict, hash=False)
    canned: bool = False
    corpus: str = ""

    def __post_init__(self) -> None:
        """Raises `InputError` where a share or a number makes no sense."""
        for name in ("near", "repeat", "mislabel", "wrong", "low", "reject"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is a share between 0 and 1, not {getattr(self, name):g}")
        for name in ("latency", "slots", "rpm"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} can't be negative, as {getattr(self, name):g} is")

    @classmethod
    def from_query(cls, query: str) -> "SimulatorSettings":
        """Settings from `near=0.2&slots=8&faults=429:0.1`; raises `InputError` on what it does not know."""
        kinds: dict[str, Any] = {f.name: f.type for f in fields(cls)}
        given: dict[str, Any] = {}
        for raw, value in parse_qsl(query, keep_blank_values=True):
            name = raw.replace("-", "_")
            if name not in kinds:
                close = get_close_matches(name, kinds, n=1)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                raise InputError(
                    f"the simulator has no switch {raw!r}{meant}", hint=f"one of: {', '.join(sorted(kinds))}"
                )
            given[name] = _read(name, kinds[name], value)
        return cls(**given)


def _read(name: str, kind: Any, value: str) -> Any:
    if name == "faults":
        return read_faults(value)
    if kind in (bool, "bool"):
        if value.casefold() not in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
            raise InputError(f"{name} is either on or off, not {value!r}")
        return value.casefold() in ("", "1", "true", "yes", "on")
    if kind in (str, "str"):
        return value
    try:
        return int(value) if kind in (int, "int") else float(value)
    except ValueError:
        raise InputError(f"{name} takes a number, not {value!r}") from None


def read_faults(text: str) -> dict[str, float]:
    """Faults from `429:0.1,truncate:0.05`.

    Raises:
        InputError: a kind that does not exist, a share that is none, or shares of more than 1 together.
    """
    faults: dict[str, float] = {}
    for item in filter(None, (piece.strip() for piece in text.split(","))):
        kind, _, share = item.partition(":")
        if kind not in FAULTS:
            raise InputError(f"the simulator has no fault {kind!r}", hint=f"one of: {', '.join(FAULTS)}")
        try:
            faults[kind] = float(share or "0.1")
        except ValueError:
            raise InputError(f"fault {kind} takes a share between 0 and 1, not {share!r}") from None
        if not 0 <= faults[kind] <= 1:
            raise InputError(f"fault {kind} takes a share between 0 and 1, not {share!r}")
    for family in (WIRE_FAULTS, SPOILING_FAULTS):
        if sum(faults.get(kind, 0.0) for kind in family) > 1:
            raise InputError(f"the shares of {', '.join(f for f in family if f in faults)} exceed 1 together")
    return faults
