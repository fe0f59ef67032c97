"""How many records share a call: as set, or as many as the model was seen to do well."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from aide.config.spec import RunSpec
from aide.recipes import find_recipe
from aide.records import PLAIN as PLAIN_RECORD
from aide.records import Group
from aide.run.inputs import PreparedInputs
from aide.run.session import Session

KEPT: Final = "group_sizes"  # under which the journal keeps them
GUIDED: Final = "guided"
PLAIN: Final = "plain"
JUDGED: Final = "judged"

# Where a run begins. Five siblings of one parent (more begin to repeat each other); seven plain records, up to twenty
# where they are short: within one call they hardly repeat each other, between calls they do. Eight texts for the judge.
# From there a model that leaves something out gets fewer.
START: Final = {GUIDED: 5, PLAIN: 7, JUDGED: 8}
MOST_PLAIN: Final = 20
PLAIN_WORDS: Final = 240  # of all plain records of one call together
WORKED_JUDGED: Final = (
    4  # worked answers take a judge's attention: solved side by side, eight are solved less carefully
)
# Of a call for several, so much must come back; below it the next ones are for half as many. After some whole ones in a
# row one more is tried.
WHOLE: Final = 0.8
ROW: Final = 4


@dataclass(slots=True)
class _Size:
    most: int
    now: int
    row: int = 0


class GroupSizes:
    """The sizes of groups, learned for the run's models and kept."""

    def __init__(
        self, spec: RunSpec, *, median_length: float, worked: bool, kept: Mapping[str, Any] | None
    ) -> None:
        """`median_length` is that of the seeds in words; `worked`: answers show their working; `kept` is `as_dict`."""
        self._fixed = spec.together != "auto" or spec.target == "all"
        recipe = find_recipe(spec.recipe)
        start = dict(START)
        if worked:
            start[JUDGED] = WORKED_JUDGED
        else:
            start[PLAIN] = min(MOST_PLAIN, max(START[PLAIN], round(PLAIN_WORDS / max(1.0, median_length))))
        start[PLAIN] = recipe.plain_together or start[PLAIN]
        most = start if spec.together == "auto" else dict.fromkeys(start, int(spec.together))
        if not recipe.shares_calls:
            most |= {GUIDED: 1, PLAIN: 1}
        known = kept or {}
        self._sizes = {
            name: _Size(size, size if self._fixed else min(size, int(known.get(name, size))))
            for name, size in most.items()
        }

    def most(self, name: str) -> int:
        """The most records of one call now."""
        return self._sizes[name].now

    def note(self, name: str, wanted: int, got: int) -> None:
        """A call for so many came back with so many that could be read."""
        size = self._sizes[name]
        if self._fixed or wanted < 2:
            return
        if got < WHOLE * wanted:
            size.now, size.row = max(1, min(size.now, wanted) // 2), 0
        elif size.now < size.most and wanted >= size.now:
            size.row += 1
            if size.row >= ROW:
                size.now, size.row = size.now + 1, 0

    def as_dict(self) -> dict[str, int]:
        """The sizes as the journal keeps them."""
        return {name: size.now for name, size in self._sizes.items()}


def learn_group_sizes(
    spec: RunSpec, inputs: PreparedInputs, kept: Mapping[str, Any] | None = None
) -> GroupSizes:
    """The sizes of a run's groups, as far as the folder knows them: `kept` is what its journal has under `KEPT`."""
    return GroupSizes(
        spec,
        median_length=median(len(seed.draft.input.split()) for seed in inputs.seeds),
        worked=inputs.format.reading == "worked",
        kept=kept,
    )


def note_size(session: Session, sizes: GroupSizes, name: str, wanted: int, got: int) -> None:
    """A call for so many came back with so many that could be read; the journal keeps what that taught."""
    before = sizes.as_dict()
    sizes.note(name, wanted, got)
    if sizes.as_dict() != before:
        session.journal.set_meta(KEPT, sizes.as_dict())


def note_written(session: Session, sizes: GroupSizes, group: Group, count: int) -> None:
    """The writer's call for a group brought so many texts."""
    kind = PLAIN if group.hops[0].operation == PLAIN_RECORD else GUIDED
    note_size(session, sizes, kind, len(group.hops), count)
