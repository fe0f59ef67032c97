"""What `aide doctor` measured of endpoints, kept under the user's state folder for later plans."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aide.atomic import write_atomic
from aide.config.spec import EndpointSpec, RunSpec
from aide.llm.diagnosis import MeasuredSpeed
from aide.llm.usage import CHARS_PER_TOKEN


def speed_file() -> Path:
    """The file that holds all measurements of this user."""
    import platformdirs

    return Path(platformdirs.user_state_path("aide")) / "endpoints.json"


@dataclass(frozen=True, slots=True)
class EndpointSpeed:
    """All endpoints of a run together.

    `scale` turns tokens estimated from characters into the model's own; `latency` is in seconds of a call,
    `rate` in completion tokens a second with all places taken, and `prompt_rate` in prompt tokens a second, 0 where
    they took no time that could be measured.
    """

    scale: float
    latency: float
    rate: float
    prompt_rate: float = 0.0


def save_speed(each: EndpointSpec, model: str, measured: MeasuredSpeed, *, path: Path) -> None:
    """Write down the measurements of an endpoint and model in place of older ones."""
    table = {**_table(path), _name(each, model): asdict(measured)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(table, indent=2) + "\n")


def read_speed(spec: RunSpec, path: Path) -> EndpointSpeed | None:
    """The speed of a run's endpoints; `None` unless each of them was measured with the model it serves."""
    served = spec.list_endpoints()
    table = _table(path) if served and not any(each.simulated for each in served) else {}
    found: list[tuple[MeasuredSpeed, int]] = []
    for each in served:
        with suppress(TypeError, ValueError):
            row = table.get(_name(each, each.model))
            if row is None:
                return None
            found.append((MeasuredSpeed(**row), each.ceiling))
    if not found or len(found) < len(served):
        return None
    first = found[0][0]
    reads = [measured.compute_prompt_rate(places) for measured, places in found]
    return EndpointSpeed(
        scale=CHARS_PER_TOKEN / first.chars_per_token if first.chars_per_token > 0 else 1.0,
        latency=sum(measured.latency for measured, _ in found) / len(found),
        rate=sum(measured.compute_rate(places) for measured, places in found),
        prompt_rate=sum(reads) if all(reads) else 0.0,
    )


def _name(each: EndpointSpec, model: str) -> str:
    from aide.llm.addresses import list_base_urls

    return f"{list_base_urls(each.base_url, {})[0].partition('?')[0]} {model}"


def _table(path: Path) -> Mapping[str, Any]:
    """All that is kept; nothing where the file is missing or no longer what was written."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


__all__ = ["EndpointSpeed", "read_speed", "save_speed", "speed_file"]
