"""`aide status`: how far a run is, also while it is going on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, format_json_line, make_printable
from aide.text.figures import format_count, format_duration, format_plural

LONGEST = 400
"""Columns of a message that are shown."""


def status(
    folder: Folder,
    json_: AsJson = False,
) -> None:
    """Show how far a run is, also while it is going on: records done and left, calls, cost and rate."""
    facts = read_status(folder)
    output = Output()
    if json_:
        output.line(format_json_line(facts))
        return
    for line in _describe(facts):
        output.line(line)


def read_status(folder: Path) -> dict[str, Any]:
    """The facts about a run folder.

    Raises:
        InputError: it is no run folder.
    """
    from aide.run.batches import read_waves
    from aide.run.folder import RunFolder
    from aide.shards import is_locked

    run = RunFolder(folder)
    manifest, progress = run.read_manifest(), run.read_progress()
    run.require(run.manifest)
    ended = "finished" if "finished" in manifest else "stopped" if "ended" in manifest else "killed"
    state = "running" if is_locked(folder) else ended
    # While a run goes on, or after it was killed, the summary is of an earlier run.
    summary = run.read_summary() if state in ("finished", "stopped") else {}
    return {
        "folder": str(folder),
        "state": state,
        "stopped": summary.get("stopped", ""),
        "exit_code": summary.get("exit_code"),
        "left": _count_left(state, progress),
        **progress,
        "estimate": _compare_estimate(manifest.get("plan") or {}, progress, ended=state == "finished"),
        "gone_seeds": summary.get("gone_seeds", []),
        "batches": [asdict(wave) for wave in read_waves(run)],
    }


def _count_left(state: str, progress: Mapping[str, Any]) -> int | None:
    """Records still to come; `None` for a whole tree that is not finished, whose yield nobody knows."""
    target: int | None = progress.get("target")
    if target is None:
        return 0 if state == "finished" else None
    accepted: int = progress.get("accepted", 0)
    return max(0, target - accepted)


def _compare_estimate(plan: Mapping[str, Any], progress: Mapping[str, Any], *, ended: bool) -> dict[str, Any]:
    """What was expected and what was used; after the end also the relative error (0.1: 10% too much)."""
    tokens = progress.get("tokens", {})
    used = {
        "records": progress.get("accepted", 0),
        "calls": progress.get("calls", 0),
        "tokens": tokens.get("prompt", 0) + tokens.get("completion", 0),
        "cost": progress.get("cost"),
    }
    return {
        name: {
            "expected": plan[name],
            "used": value,
            "error": round(plan[name] / value - 1, 4) if ended and value and plan[name] is not None else None,
        }
        for name, value in used.items()
        if name in plan
    }


def _describe(facts: dict[str, Any]) -> list[str]:
    tokens, run = facts.get("tokens", {}), facts.get("this_run", {})
    cost, left, target = facts.get("cost"), facts["left"], facts.get("target")
    goal = f"{target:,}" if target is not None else f"at most {facts.get('possible', 0):,}"
    lines = [
        (
            "state",
            f"{facts['state']}{': ' + make_printable(facts['stopped'], LONGEST) if facts.get('stopped') else ''}",
        ),
        ("accepted", f"{facts.get('accepted', 0):,} of {goal}{f', {left:,} left' if left else ''}"),
        ("by hop", ", ".join(f"{hop}: {n:,}" for hop, n in facts.get("by_hop", {}).items()) or "-"),
        (
            "not accepted",
            ", ".join(f"{name} {facts.get(name, 0):,}" for name in ("rejected", "failed", "surplus")),
        ),
        (
            "calls",
            f"{facts.get('calls', 0):,}, {format_count(tokens.get('prompt', 0))} tokens in, "
            f"{format_count(tokens.get('completion', 0))} out",
        ),
        ("cost", "?" if cost is None else f"{cost:,.2f} USD"),
        ("rate", f"{run.get('rate', 0):.1f} records/s over {format_duration(run.get('seconds', 0))}"),
    ]
    if facts["batches"]:
        lines.append(("batches", _describe_batches(facts["batches"])))
    compared = [
        f"{name} {_format_error(name, each)}"
        for name, each in facts["estimate"].items()
        if each["error"] is not None
    ]
    if compared:
        lines.append(("estimate", "; ".join(compared)))
    if facts["gone_seeds"]:
        lines.append(("gone", f"no longer in the seed file, records kept: {_name_some(facts['gone_seeds'])}"))
    return [f"{name:13} {value}" for name, value in lines]


def _describe_batches(waves: Sequence[Mapping[str, Any]]) -> str:
    """What is pending, and what came of the rest."""
    from aide.run.service import SYSTEM_CLOCK

    pending = [wave for wave in waves if wave["state"] != "ended"]
    ended = [wave for wave in waves if wave["state"] == "ended"]
    asked, answered = (sum(wave[name] for wave in ended) for name in ("calls", "answered"))
    told = f"{len(pending):,} pending with {format_plural(sum(wave['calls'] for wave in pending), 'call')}"
    if pending:
        waited = format_duration(SYSTEM_CLOCK.now() - min(wave["composed"] for wave in pending))
        told += f", the first for {waited}"
    return f"{told}; {len(ended):,} ended, {answered:,} of {asked:,} calls answered"


def _name_some(names: Sequence[str], most: int = 20) -> str:
    more = len(names) - most
    return ", ".join(make_printable(name, 60) for name in names[:most]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def _format_error(name: str, each: Mapping[str, Any]) -> str:
    shown = f"{each['expected']:,.2f}" if name == "cost" else format_count(each["expected"])
    return f"{shown} expected, {each['error']:+.0%}"
