"""Records by how hard they are for a student, and in an order of rising difficulty.

`aide grade --student` gives each record a difficulty from 0 to 1. What a student always gets right teaches it little,
and what it never gets right may be wrong itself. TAPIR (Yue et al., 2024, arXiv 2405.13448) trains on the hard ones, in
each round on more of them. The order is that of CORGI (Lee et al., 2024, arXiv 2310.09518), which beat shuffling and
going subject by subject: at each level all subjects take turns, and then comes the next.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aide.dataset.conditions import Condition, value_as_number, value_as_text
from aide.dataset.lines import RecordLine
from aide.errors import InputError
from aide.records.field_names import look_up_field

DIFFICULTY: Final = "difficulty"
SPREAD: Final = "spread"
"""As many records of each difficulty."""
MIDDLE: Final = 0.5
"""Easy is what a student gets right in more than half of its answers; all else is hard."""

_RANGE: Final = re.compile(r"([\d.]+)-([\d.]+)")


def make_difficulty_condition(text: str) -> Condition:
    """`easy`, `hard`, or a range such as `0.25-0.75`, both ends in it; a record without a difficulty does not meet it.

    Raises:
        InputError: `text` is none of these.
    """
    low, high = 0.0, 1.0
    if text not in ("easy", "hard", SPREAD):
        low, high = _read_range(text)

    def holds(record: Any) -> bool:
        value = value_as_number(look_up_field(record, DIFFICULTY))
        if value is None or not low <= value <= high:
            return False
        return text not in ("easy", "hard") or (value < MIDDLE) == (text == "easy")

    return Condition(frozenset({DIFFICULTY}), holds)


def _read_range(text: str) -> tuple[float, float]:
    found = _RANGE.fullmatch(text)
    try:
        low, high = (float(found[1]), float(found[2])) if found else (1.0, 0.0)
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= 1:
        raise InputError(
            f"--difficulty {text!r} is no difficulty",
            hint="it is easy, hard, or a range between 0 and 1 such as 0.25-0.75",
        )
    return low, high


def order_lines(lines: Iterable[RecordLine], field: str, by: Sequence[str] = ()) -> list[RecordLine]:
    """The lines by a field, smallest first; with `by` the values of these fields take turns within each value of it.

    Numbers come before texts, and what lacks the field comes last; otherwise lines keep their order.
    """
    levels: dict[tuple[int, float, str], dict[tuple[str, ...], deque[RecordLine]]] = {}
    for line in lines:
        turn = tuple(value_as_text(look_up_field(line.record, name)) for name in by)
        level = levels.setdefault(_rank(look_up_field(line.record, field)), {})
        level.setdefault(turn, deque()).append(line)
    return [line for rank in sorted(levels) for line in _take_turns(levels[rank].values())]


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    number = value_as_number(value)
    return (1, 0.0, value_as_text(value)) if number is None else (0, number, "")


def _take_turns(queues: Iterable[deque[RecordLine]]) -> Iterable[RecordLine]:
    waiting = deque(queues)
    while waiting:
        queue = waiting.popleft()
        yield queue.popleft()
        if queue:
            waiting.append(queue)
