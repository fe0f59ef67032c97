"""A part of the lines, drawn by their content: the same lines on every machine."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from aide.dataset.conditions import look_up_field, value_as_text
from aide.dataset.lines import RecordLine
from aide.records import digest


@dataclass(order=True, slots=True)
class _Drawn:
    """A line with its lot; heaps keep the highest on top, hence the sign."""

    lot: int
    place: int
    line: RecordLine = field(compare=False)


def draw_lot(line: RecordLine, seed: int) -> int:
    """The line's number in the draw, below 2**80: a hash of seed and content."""
    return int(digest("draw", str(seed), line.raw.decode("utf-8", "replace")), 16)


def sample_share(lines: Iterable[RecordLine], part: float, *, seed: int) -> Iterator[RecordLine]:
    """Each line with probability `part`; nothing is held."""
    limit = int(part * 2**80)
    return (line for line in lines if draw_lot(line, seed) < limit)


def sample_size(
    lines: Iterable[RecordLine], size: int, *, seed: int, by: Sequence[str] = (), evenly: bool = False
) -> list[RecordLine]:
    """`size` lines, in their order; all where there are no more.

    Args:
        lines: read once; at most `size` of each stratum are held.
        size: how many.
        seed: another one draws others.
        by: fields whose values make the strata; each gets its share by size (largest remainder).
        evenly: the strata get equally many, as far as they have them.
    """
    heaps: dict[tuple[str, ...], list[_Drawn]] = {}
    sizes: dict[tuple[str, ...], int] = {}
    for place, line in enumerate(lines):
        stratum = tuple(value_as_text(look_up_field(line.record, name)) for name in by)
        sizes[stratum] = sizes.get(stratum, 0) + 1
        heap = heaps.setdefault(stratum, [])
        drawn = _Drawn(-draw_lot(line, seed), -place, line)
        if len(heap) < size:
            heapq.heappush(heap, drawn)
        else:
            heapq.heappushpop(heap, drawn)
    wanted = _even(sizes, size) if evenly else _proportional(sizes, size)
    chosen = [each for stratum, heap in heaps.items() for each in heapq.nlargest(wanted[stratum], heap)]
    return [each.line for each in sorted(chosen, key=lambda each: -each.place)]


def _proportional(sizes: dict[tuple[str, ...], int], size: int) -> dict[tuple[str, ...], int]:
    total = sum(sizes.values())
    if total <= size:
        return dict(sizes)
    exact = {name: count * size / total for name, count in sizes.items()}
    wanted = {name: int(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (wanted[name] - exact[name], name))
    for name in rest[: size - sum(wanted.values())]:
        wanted[name] += 1
    return wanted


def _even(sizes: dict[tuple[str, ...], int], size: int) -> dict[tuple[str, ...], int]:
    """Equal shares; what a small stratum can't fill goes to the others."""
    wanted = dict.fromkeys(sizes, 0)
    left = min(size, sum(sizes.values()))
    open_ = sorted(sizes, key=lambda name: (sizes[name], name))
    while open_:
        name = open_.pop(0)
        wanted[name] = min(sizes[name], left // (len(open_) + 1))
        left -= wanted[name]
    return wanted


__all__ = ["draw_lot", "sample_share", "sample_size"]
