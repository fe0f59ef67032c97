"""The kinds of records that differ in their prompts, and the names of calls in a table of sizes."""

from typing import Final

from aide.config.spec import RunSpec
from aide.records import PLAIN
from aide.run.group_sizes import GUIDED
from aide.run.plan.script import COMPARE, READ

ANCHORED: Final = "anchored"
"""A guided record whose prompt shows the seed beside the parent."""


def name_step(call: str) -> str:
    """The step under which a call of the table of sizes is counted."""
    name = call.partition(" ")[0]
    return {"write": "synthesize", READ: "reflect", COMPARE: "reflect"}.get(name, name)


def list_kinds(spec: RunSpec) -> list[str]:
    """The kinds of records that a run may have."""
    kinds = [PLAIN] if spec.plain_share else []
    if spec.plain_share < 1:
        kinds += sorted({find_kind(spec, hop) for hop in range(1, spec.hops + 1)}, reverse=True)
    return kinds


def find_kind_of(spec: RunSpec, level: tuple[int, bool]) -> str:
    """The kind of the records of a level: a hop, and whether its plain ones are meant."""
    hop, plain = level
    return PLAIN if plain else find_kind(spec, hop)


def find_kind(spec: RunSpec, hop: int) -> str:
    """The kind of guided records of a hop: from where on the seed stands beside the parent."""
    return ANCHORED if spec.residual != "off" and hop > spec.residual_after else GUIDED
