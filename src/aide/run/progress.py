"""Where a run stands: counts that reconcile, for the display, `progress.json` and `summary.json`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aide.llm.health import Trouble
from aide.records import Usage
from aide.run.pace import Pace


@dataclass(slots=True)
class Progress:
    """Counts of one run folder, over all invocations, and of the calls of this one.

    planned = accepted + rejected + failed + surplus + pruned + open.
    """

    target: int | None = None
    possible: int = 0
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    surplus: int = 0
    pruned: int = 0
    open: int = 0
    without_attributes: int = 0
    reasons_without_attributes: Counter[str] = field(default_factory=Counter)
    by_hop: Counter[int] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    calls: int = 0
    reused: int = 0
    """Calls of this invocation whose answers were taken over from another folder."""
    in_flight: int = 0
    limit: int = 0
    trouble: Trouble | None = None
    """That no call has been answered for a while."""
    latest: Mapping[str, Any] | None = None
    """The last record that was accepted in this invocation, as it stands in its shard."""
    pace: Pace = field(default_factory=Pace)
    seconds: float = 0.0
    accepted_before: int = 0

    @property
    def rate(self) -> float:
        """Records accepted per second in this invocation."""
        return (self.accepted - self.accepted_before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def goal(self) -> int:
        """What 100 % means: the target, else the upper bound of the tree."""
        return self.target if self.target is not None else self.possible

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the last minutes; `None` where there is none, as for a whole tree whose yield is unknown."""
        if self.target is None or self.trouble is not None:
            return None
        return self.pace.count_seconds_left(self.target - self.accepted)

    def count_outcome(self, kind: str, depth: int, label: str, reason: str = "") -> None:
        """Count one settled node."""
        setattr(self, kind, getattr(self, kind) + 1)
        if kind == "accepted":
            self.by_hop[depth] += 1
            if label:
                self.by_label[label] += 1
        elif reason:
            self.reasons[reason] += 1

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON values; money that nobody can know is null."""
        usage = self.usage
        return {
            "target": self.target,
            "possible": self.possible,
            "planned": self.planned,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "failed": self.failed,
            "surplus": self.surplus,
            "pruned": self.pruned,
            "open": self.open,
            "barren": self.without_attributes,
            "barren_reasons": dict(self.reasons_without_attributes.most_common()),
            "by_hop": {str(hop): n for hop, n in sorted(self.by_hop.items())},
            "by_label": dict(sorted(self.by_label.items())),
            "reasons": dict(self.reasons.most_common()),
            "calls": usage.calls,
            "calls_per_record": round(usage.calls / self.accepted, 2) if self.accepted else None,
            "tokens": {
                "prompt": usage.prompt, "completion": usage.completion, "cached": usage.cached,
                "reasoning": usage.reasoning, "estimated_calls": usage.estimated,
            },
            "cost": self.cost,
            "this_run": {
                "calls": self.calls, "reused": self.reused,
                "seconds": round(self.seconds, 3), "rate": round(self.rate, 3),
                "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            },
            "in_flight": self.in_flight, "limit": self.limit,
            **({"trouble": asdict(self.trouble)} if self.trouble else {}),
        }  # fmt: skip

    def take_over(self, told: Mapping[str, Any]) -> None:
        """Set the counts to those that `as_dict` gave elsewhere; target and pace stay."""
        for name in (
            "possible", "planned", "accepted", "rejected", "failed", "surplus", "pruned", "open", "in_flight", "limit",
        ):  # fmt: skip
            setattr(self, name, told.get(name) or 0)
        self.without_attributes = told.get("barren") or 0
        self.reasons_without_attributes = Counter(told.get("barren_reasons") or {})
        self.by_hop = Counter({int(hop): count for hop, count in (told.get("by_hop") or {}).items()})
        self.by_label = Counter(told.get("by_label") or {})
        self.reasons = Counter(told.get("reasons") or {})
        self.cost = told.get("cost")
        self.calls = (told.get("this_run") or {}).get("calls") or 0
        self.reused = (told.get("this_run") or {}).get("reused") or 0
        self.trouble = Trouble(**told["trouble"]) if told.get("trouble") else None
        tokens = told.get("tokens") or {}
        kinds = {name: tokens.get(name) or 0 for name in ("prompt", "completion", "cached", "reasoning")}
        self.usage = Usage(told.get("calls") or 0, estimated=tokens.get("estimated_calls") or 0, **kinds)


def usage_by_step(
    rows: list[tuple[str, str, Usage, float | None]],
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Usage by step and model, as it stands in `summary.json`."""
    steps: dict[str, dict[str, Mapping[str, Any]]] = {}
    for step, model, usage, cost in rows:
        steps.setdefault(step, {})[model] = {
            "calls": usage.calls, "prompt": usage.prompt, "completion": usage.completion, "cached": usage.cached,
            "reasoning": usage.reasoning, "estimated_calls": usage.estimated, "cost": cost,
        }  # fmt: skip
    return steps
