"""What an examination of an endpoint comes to: findings in words, and speeds that a plan can count with."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

Verdict = Literal["ok", "note", "bad"]
EIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One thing that was found out; `bad` means that a run would fail, `advice` says what to do."""

    name: str
    verdict: Verdict
    told: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """Speeds of one endpoint and model.

    `latency` is in seconds of a call that writes one word; `alone` and `together` are completion tokens a
    second with one and with eight calls in flight; `cached` is the share of a repeated prompt that the server
    said it had cached.
    """

    chars_per_token: float
    latency: float
    alone: float
    together: float
    cached: float

    def rate(self, places: int) -> float:
        """Tokens a second with so many calls in flight: the power law through the two measurements."""
        if self.alone <= 0 or self.together <= 0:
            return max(self.alone, self.together)
        slope = math.log(self.together / self.alone) / math.log(EIGHT)
        return float(self.alone * places ** min(1.0, max(0.0, slope)))


@dataclass(slots=True)
class Diagnosis:
    """All that was found out of one endpoint; `measured` is there where it answered to the end."""

    endpoint: str
    base_url: str
    model: str
    answered_by: str = ""
    calls: int = 0
    findings: list[DoctorFinding] = field(default_factory=list)
    measured: MeasuredSpeed | None = None

    @property
    def usable(self) -> bool:
        """Whether a run can use it."""
        return all(finding.verdict != "bad" for finding in self.findings)
