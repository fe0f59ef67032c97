"""Charts as plain SVG: drawn once, readable without a script, coloured by the page's style sheet.

Every mark carries its figures as a `<title>`, which browsers show on hover and readers read aloud.
"""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from math import ceil, log10
from typing import Final

WIDTH: Final = 640


def draw_stacked_bars(rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """Horizontal bars of parts, each row with a label; `rows` hold (label, ((class, value), …)).

    They are boxes of the page, not SVG, so that their words are as large as others on any screen.
    """
    top = max((sum(value for _, value in parts) for _, parts in rows), default=0) or 1
    out = []
    for name, parts in rows:
        told = ((kind, value, f"{name}: {kind} {_number(value)}") for kind, value in parts if value)
        bar = "".join(
            f'<i class="k-{escape(kind)}" style="width:{100 * value / top:.2f}%" title="{escape(each)}"></i>'
            for kind, value, each in told
        )
        whole = format_figure(sum(value for _, value in parts))
        out.append(f'<span>{escape(name)}</span><div class="bar">{bar}</div><span class="n">{whole}</span>')
    return f'<div class="bars">{"".join(out)}</div>'


def draw_histogram(series: Sequence[tuple[str, Mapping[int, int]]], low: int, high: int, kind: str) -> str:
    """Small columns of how often each grade was given, one group for each series (a hop), each to its own scale."""
    width, height = 240, 110
    out = []
    for name, counts in series:
        marks = []
        step = (width - 20) / (high - low + 1)
        total = sum(counts.values())
        top = max(counts.values(), default=0) or 1
        for grade in range(low, high + 1):
            value = counts.get(grade, 0)
            tall = value / top * (height - 40)
            x = 10 + (grade - low) * step
            marks.append(
                f'<rect class="{kind}" x="{x + 1:.1f}" y="{height - 20 - tall:.1f}" width="{step - 2:.1f}"'
                f' height="{max(tall, 0.5):.1f}" rx="2">'
                f"<title>{escape(name)}: grade {grade}, {_number(value)}</title></rect>"
            )
            marks.append(f'<text x="{x + step / 2:.1f}" y="{height - 6}" class="mid tick">{grade}</text>')
        mean = sum(grade * value for grade, value in counts.items()) / total if total else 0
        marks.append(
            f'<text x="10" y="13" class="head">{escape(name)}</text>'
            f'<text x="{width - 10}" y="13" class="end">mean {mean:.1f}</text>'
        )
        out.append(_svg(marks, height, width, "small"))
    return f'<div class="multiples">{"".join(out)}</div>'


def draw_spread(
    rows: Sequence[tuple[str, Sequence[float], float | None, float | None]], kind: str, line: float | None
) -> str:
    """Ranges of values from 0 to 1: the 5th to the 95th percentile, the middle half, and two means.

    `rows` hold (label, values, mean to be told as a figure, other mean); `line` is drawn through all of them.
    """
    height, label = 34, 76
    scale = WIDTH - label - 70
    bottom = len(rows) * height
    marks = [
        f'<line class="grid" x1="{label + scale * t:.1f}" x2="{label + scale * t:.1f}" y1="0" y2="{bottom}"/>'
        for t in (0, 0.25, 0.5, 0.75, 1)
    ]
    for n, (name, values, mean, other) in enumerate(rows):
        y = n * height + height / 2
        marks.append(f'<text x="{label - 10}" y="{y + 4}" class="end">{escape(name)}</text>')
        marks += _range(name, values, kind, y, label, scale) if values else []
        if other is not None:
            marks.append(_circle("ring", label + other * scale, y, other))
        if mean is not None:
            marks.append(_circle("dot", label + mean * scale, y, mean))
            marks.append(f'<text x="{WIDTH - 56}" y="{y + 4}" class="num">{mean:.2f}</text>')
    if line is not None:
        x = label + line * scale
        marks.append(
            f'<line class="mean" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"><title>{line:.3f}</title></line>'
        )
    marks += [
        f'<text x="{label + scale * t:.1f}" y="{bottom + 16}" class="mid tick">{t:g}</text>'
        for t in (0, 0.5, 1)
    ]
    return _svg(marks, bottom + 22)


def _circle(kind: str, x: float, y: float, told: float) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="4.5"><title>{told:.3f}</title></circle>'


def _range(
    name: str, values: Sequence[float], kind: str, y: float, label: float, scale: float
) -> tuple[str, str]:
    ordered = sorted(values)
    p5, p25, p50, p75, p95 = (
        ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.05, 0.25, 0.5, 0.75, 0.95)
    )
    told = f"{escape(name)}: median {p50:.2f}, half between {p25:.2f} and {p75:.2f}, {len(ordered):,} records"
    left, wide = label + p25 * scale, max(2, (p75 - p25) * scale)
    ends = f'x1="{label + p5 * scale:.1f}" x2="{label + p95 * scale:.1f}"'
    return (
        f'<line class="{kind} thin" {ends} y1="{y}" y2="{y}"/>',
        f'<rect class="{kind}" x="{left:.1f}" y="{y - 8}" width="{wide:.1f}" height="16" rx="3">'
        f"<title>{told}</title></rect>",
    )


def draw_lines(
    series: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], *, seconds: float, steps: bool = False
) -> str:
    """Curves over time: (name, class, ((second, value), …)). The first is filled; the axis begins at 0."""
    height, left, bottom = 150, 52, 22
    top = _nice(max((value for _, _, points in series for _, value in points), default=0))
    across, up = (WIDTH - left - 10) / max(seconds, 1e-9), (height - bottom - 12) / top
    base = height - bottom
    marks = []
    for part in (0.0, 0.5, 1.0):
        y = base - part * top * up
        marks.append(
            f'<line class="grid" x1="{left}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" class="end tick">{_number(part * top)}</text>'
        )
    for n, (name, kind, points) in enumerate(series):
        if not points:
            continue
        places = [(left + x * across, base - value * up) for x, value in points]
        path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in (_stairs(places) if steps else places))
        peak = max(value for _, value in points)
        if n == 0:
            marks.append(
                f'<path class="{kind} area" d="{path}L{places[-1][0]:.1f},{base}L{places[0][0]:.1f},{base}Z"/>'
            )
        marks.append(
            f'<path class="{kind} curve" d="{path}"><title>{escape(name)}: at most {_number(peak)}</title></path>'
        )
    for t, place in ((0, ""), (0.5, "mid"), (1, "end")):
        at, told = left + seconds * t * across, _time(seconds * t, exact=seconds < 10)
        marks.append(f'<text x="{at:.1f}" y="{height - 4}" class="{place} tick">{told}</text>')
    return _svg(marks, height)


def _stairs(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    out = [places[0]]
    for (_, before), (x, y) in pairwise(places):
        out += [(x, before), (x, y)]
    return out


def _svg(marks: Sequence[str], height: float, width: float = WIDTH, kind: str = "wide") -> str:
    return f'<svg class="chart {kind}" viewBox="0 0 {width} {height:.0f}" role="img">{"".join(marks)}</svg>'


def _nice(top: float) -> float:
    """The next round number above: 1, 2 or 5 times a power of ten."""
    if top <= 0:
        return 1.0
    size = 10.0 ** (ceil(log10(top)) - 1)
    return next(step * size for step in (1, 2, 5, 10) if step * size >= top * 0.999)


def format_figure(number: float) -> str:
    """A figure in few letters: 3,760, 13.7M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if number >= size:
            return f"{number / min(size, 1e3 if unit == 'k' else size):.{0 if unit == 'k' else 1}f}{unit}"
    return f"{number:,.0f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def _time(seconds: float, *, exact: bool) -> str:
    if exact:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


__all__ = ["draw_histogram", "draw_lines", "draw_spread", "draw_stacked_bars", "format_figure"]
