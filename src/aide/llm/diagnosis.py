"""What an examination of an endpoint comes to: findings in words, and speeds that a plan can count with."""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

FindingLevel = Literal["ok", "note", "bad"]
PARALLEL: Final = 8  # calls in flight in the second of the two measurements: as many as a run starts with


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One thing that was found out."""

    name: str
    verdict: FindingLevel
    """`bad` where a run would fail."""
    told: str
    """What was found, for a person."""
    advice: str = ""
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """Speeds of one endpoint and model."""

    chars_per_token: float
    latency: float
    """Seconds of a call that writes one word."""
    alone: float
    """Completion tokens a second with one call in flight."""
    together: float
    """Completion tokens a second with `PARALLEL` calls in flight."""
    cached: float
    """The share of a repeated prompt that the server said it had cached."""
    prompt: float = 0.0
    """Prompt tokens a second with one call in flight; 0 where a long prompt took hardly longer than a short one."""

    def compute_rate(self, calls: int) -> float:
        """Completion tokens a second with so many calls in flight: the power law through the two measurements.

        Throughput grows with the batch and ever more slowly; a power of at most 1 says so without further numbers.
        """
        if self.alone <= 0 or self.together <= 0:
            return max(self.alone, self.together)
        return self.alone * self._scale(calls)

    def compute_prompt_rate(self, calls: int) -> float:
        """The same for prompt tokens, which are taken to gain as much by company: who writes in parallel reads so."""
        return self.prompt * (self._scale(calls) if self.alone > 0 and self.together > 0 else 1.0)

    def _scale(self, calls: int) -> float:
        slope = math.log(self.together / self.alone) / math.log(PARALLEL)
        return float(calls ** min(1.0, max(0.0, slope)))


@dataclass(slots=True)
class Diagnosis:
    """All that was found out of one endpoint."""

    endpoint: str
    """Its name."""
    base_url: str
    model: str
    """The model that was asked for."""
    answered_by: str = ""
    """The model that answered."""
    calls: int = 0
    """Calls that were made to find out."""
    findings: list[DoctorFinding] = field(default_factory=list)
    measured: MeasuredSpeed | None = None
    """There where the endpoint answered to the end."""

    @property
    def usable(self) -> bool:
        """True when a run can use it."""
        return all(finding.verdict != "bad" for finding in self.findings)
