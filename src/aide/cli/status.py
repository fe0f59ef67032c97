"""`aide status DIR`: where a run stands, also while it runs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.console import Output
from aide.errors import InputError


def status(
    folder: Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")],
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say where a run stands: what is done and left, calls, cost and rate; it may still be running."""
    facts = read(folder)
    output = Output()
    if json_:
        output.line(json.dumps(facts, ensure_ascii=False))
        return
    for line in _lines(facts):
        output.line(line)


def read(folder: Path) -> dict[str, Any]:
    """The facts of a run folder.

    Raises:
        InputError: where it is none.
    """
    manifest = _load(folder / "run.json")
    if manifest is None:
        raise InputError(f"{folder} is no run folder: it has no run.json", hint="name the folder that `aide expand` wrote")
    progress = _load(folder / "progress.json") or {}
    running = held(folder)
    summary = {} if running else _load(folder / "summary.json") or {}
    goal = progress.get("target") if progress.get("target") is not None else progress.get("possible", 0)
    return {
        "folder": str(folder),
        "state": "running" if running else "finished" if "finished" in manifest else "stopped",
        "stopped": summary.get("stopped", ""),
        "exit_code": summary.get("exit_code"),
        "left": max(0, (goal or 0) - progress.get("accepted", 0)),
        **progress,
    }


def held(folder: Path) -> bool:
    """Whether a process holds the folder's lock right now."""
    import fcntl

    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _load(path: Path) -> dict[str, Any] | None:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} can't be read: {fault}", hint="is this the folder of a run?") from fault
    return loaded if isinstance(loaded, dict) else None


def _lines(facts: dict[str, Any]) -> list[str]:
    tokens = facts.get("tokens", {})
    cost = facts.get("cost")
    rows = [
        ("state", f"{facts['state']}{': ' + facts['stopped'] if facts.get('stopped') else ''}"),
        ("accepted", f"{facts.get('accepted', 0):,} of {facts.get('target') or facts.get('possible', 0):,}, {facts['left']:,} left"),
        ("by hop", ", ".join(f"{hop}: {n:,}" for hop, n in facts.get("by_hop", {}).items()) or "-"),
        ("not accepted", f"rejected {facts.get('rejected', 0):,}, failed {facts.get('failed', 0):,}, surplus {facts.get('surplus', 0):,}"),
        ("calls", f"{facts.get('calls', 0):,}, {tokens.get('prompt', 0):,} tokens in, {tokens.get('completion', 0):,} out"),
        ("cost", "?" if cost is None else f"{cost:.2f} USD"),
        ("rate", f"{facts.get('this_run', {}).get('rate', 0):.1f} records/s"),
    ]
    return [f"{name:13} {value}" for name, value in rows]
