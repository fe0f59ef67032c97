"""A part of the lines, drawn by hashes: the same lines on every machine and in every run of a command."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from aide.dataset.conditions import value_as_text
from aide.dataset.lines import RecordLine
from aide.records import digest, rng
from aide.records.field_names import look_up_field

Stratum = tuple[str, ...]


def draw_lot(draw: str, seed: int, text: str) -> int:
    """A number below 2**80 for a text: a hash of the draw's name, the seed and the text itself.

    It does not depend on the other texts, so that a line added to a file does not change which of the others
    are drawn.
    """
    return int(digest(draw, str(seed), text), 16)


def sample_share(lines: Iterable[RecordLine], share: float, *, seed: int) -> Iterator[RecordLine]:
    """Each line with probability `share`; none is held."""
    limit = int(share * 2**80)
    return (line for line in lines if _draw_line(line, seed) < limit)


def sample_size(
    lines: Iterable[RecordLine], size: int, *, seed: int, by: Sequence[str] = (), evenly: bool = False
) -> list[RecordLine]:
    """`size` lines in their order, or all if there are not more.

    Args:
        lines: read once; at most `size` of each stratum are held.
        size: how many.
        seed: another seed draws other lines.
        by: fields whose values define the strata; each stratum gets its share by size (largest remainder).
        evenly: all strata get equally many, as far as they have them.
    """
    heaps: dict[Stratum, list[_DrawnLine]] = {}
    sizes: dict[Stratum, int] = {}
    for place, line in enumerate(lines):
        stratum = tuple(value_as_text(look_up_field(line.record, name)) for name in by)
        sizes[stratum] = sizes.get(stratum, 0) + 1
        # How many a stratum may give is known only at the end; more than `size` it never is.
        heap = heaps.setdefault(stratum, [])
        drawn = _DrawnLine(-_draw_line(line, seed), -place, line)
        if len(heap) < size:
            heapq.heappush(heap, drawn)
        else:
            heapq.heappushpop(heap, drawn)
    quotas = _split_evenly(sizes, size) if evenly else _split_by_size(sizes, size)
    chosen = [each for stratum, heap in heaps.items() for each in heapq.nlargest(quotas[stratum], heap)]
    return [each.line for each in sorted(chosen, key=lambda each: -each.place)]


def sample_places(count: int, size: int, seed: int) -> list[int]:
    """`size` of `count` places in order, or all if there are not more; the same for the same seed."""
    return sorted(rng("sample", str(seed)).sample(range(count), size)) if size < count else list(range(count))


@dataclass(order=True, slots=True)
class _DrawnLine:
    """A line with its lot. Both numbers are negated: the heap's first item is the one to give up next."""

    lot: int
    place: int
    line: RecordLine = field(compare=False)


def _draw_line(line: RecordLine, seed: int) -> int:
    return draw_lot("draw", seed, line.raw.decode("utf-8", "replace"))


def _split_by_size(sizes: dict[Stratum, int], size: int) -> dict[Stratum, int]:
    """Quotas proportional to the strata's sizes, rounded so that they add up to `size`."""
    total = sum(sizes.values())
    if total <= size:
        return dict(sizes)
    exact = {name: count * size / total for name, count in sizes.items()}
    quotas = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_remainder[: size - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def _split_evenly(sizes: dict[Stratum, int], size: int) -> dict[Stratum, int]:
    """Equal quotas; what a small stratum can't fill goes to the larger ones, which come later."""
    quotas = {}
    left = min(size, sum(sizes.values()))
    ordered = sorted(sizes, key=lambda name: (sizes[name], name))
    for place, name in enumerate(ordered):
        quotas[name] = min(sizes[name], left // (len(ordered) - place))
        left -= quotas[name]
    return quotas
