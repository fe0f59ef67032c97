"""Charts as plain SVG: drawn once, readable without a script, coloured by the page's style sheet.

Every mark carries its figures as a `<title>`, which browsers show on hover and screen readers read aloud.
All text passes `Markup.format`, which escapes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, log10
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from aide.text.figures import format_duration

WIDTH: Final = 640
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
Points = Sequence[tuple[float, float]]


class SpreadRow(NamedTuple):
    """One line of `draw_spread`."""

    label: str
    values: Sequence[float]
    """Values from 0 to 1, whose spread is drawn."""
    mean: float | None
    """A mean that is drawn as a dot and written out."""
    other_mean: float | None
    """A second mean, drawn as a ring."""


class Curve(NamedTuple):
    """One line of `draw_curves`."""

    name: str
    kind: str
    """Its class in the style sheet."""
    points: Points
    """(second, value), in the order of time."""


def draw_histogram(
    name: str, counts: Mapping[int, int], kind: str, *, low: int = 1, high: int = 10
) -> Markup:
    """Columns that show how often each grade was given, to a scale of their own, and the mean grade."""
    width, height = 240, 110
    step = (width - 20) / (high - low + 1)
    top = max(counts.values(), default=0) or 1
    marks = []
    for grade in range(low, high + 1):
        count, x = counts.get(grade, 0), 10 + (grade - low) * step
        tall = max(count / top * (height - 40), 0.5)  # a grade that was never given shows as a thin line
        title = f"{name}: grade {grade}, {_format_tick(count)}"
        marks.append(_rect(kind, x + 1, height - 20 - tall, step - 2, tall, title))
        marks.append(_text("mid tick", x + step / 2, height - 6, grade))
    total = sum(counts.values())
    mean = sum(grade * count for grade, count in counts.items()) / total if total else 0
    marks += [_text("head", 10, 13, name), _text("end", width - 10, 13, f"mean {mean:.1f}")]
    return _svg(marks, height, width, "small")


def draw_spread(rows: Sequence[SpreadRow], kind: str, line: float | None) -> Markup:
    """Ranges of values from 0 to 1: the 5th to the 95th percentile, the middle half, and two means.

    `line` is drawn through all rows.
    """
    height, label = 34, 76
    scale = WIDTH - label - 70
    bottom = len(rows) * height
    marks = [
        _line("grid", label + scale * at, 0, label + scale * at, bottom) for at in (0, 0.25, 0.5, 0.75, 1)
    ]
    for place, row in enumerate(rows):
        y = (place + 0.5) * height
        marks.append(_text("end", label - 10, y + 4, row.label))
        if row.values:
            ordered = sorted(row.values)
            p5, p25, p50, p75, p95 = (
                ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in _QUANTILES
            )
            half = f"median {p50:.2f}, half between {p25:.2f} and {p75:.2f}, {len(ordered):,} records"
            marks.append(_line(f"{kind} thin", label + p5 * scale, y, label + p95 * scale, y))
            marks.append(
                _rect(
                    kind, label + p25 * scale, y - 8, max(2, (p75 - p25) * scale), 16, f"{row.label}: {half}"
                )
            )
        for mean, shape in ((row.other_mean, "ring"), (row.mean, "dot")):
            if mean is not None:
                marks.append(
                    _draw(
                        '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4.5"><title>{:.3f}</title></circle>',
                        shape,
                        label + mean * scale,
                        y,
                        mean,
                    )
                )
        if row.mean is not None:
            marks.append(_text("num", WIDTH - 56, y + 4, f"{row.mean:.2f}"))
    if line is not None:
        marks.append(_line("mean", label + line * scale, 0, label + line * scale, bottom, f"{line:.3f}"))
    marks += [_text("mid tick", label + scale * at, bottom + 16, f"{at:g}") for at in (0, 0.5, 1)]
    return _svg(marks, bottom + 22)


def draw_curves(curves: Sequence[Curve], *, seconds: float, steps: bool = False) -> Markup:
    """Curves over time, which begins at 0. The area below the first one is filled."""
    height, left, bottom = 150, 52, 22
    top = _round_up(max((value for curve in curves for _, value in curve.points), default=0))
    across, up = (WIDTH - left - 10) / max(seconds, 1e-9), (height - bottom - 12) / top
    base = height - bottom
    marks = []
    for part in (0.0, 0.5, 1.0):
        y = base - part * top * up
        marks += [
            _line("grid", left, y, WIDTH - 10, y),
            _text("end tick", left - 6, y + 4, _format_tick(part * top)),
        ]
    for number, curve in enumerate(curves):
        if not curve.points:
            continue
        places = [(left + x * across, base - value * up) for x, value in curve.points]
        path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in (_make_steps(places) if steps else places))
        if number == 0:
            closed = f"{path}L{places[-1][0]:.1f},{base}L{places[0][0]:.1f},{base}Z"
            marks.append(_draw('<path class="{} area" d="{}"/>', curve.kind, closed))
        peak = _format_tick(max(value for _, value in curve.points))
        marks.append(
            _draw(
                '<path class="{} curve" d="{}"><title>{}: at most {}</title></path>',
                curve.kind,
                path,
                curve.name,
                peak,
            )
        )
    for at, anchor in ((0, ""), (0.5, "mid"), (1, "end")):
        shown = format_duration(seconds * at, tenths=seconds < 10)
        marks.append(_text(f"{anchor} tick", left + seconds * at * across, height - 4, shown))
    return _svg(marks, height)


def _make_steps(places: Points) -> Iterable[tuple[float, float]]:
    """The corners of a line that keeps each value until the next one."""
    yield places[0]
    for (_, before), (x, y) in pairwise(places):
        yield from ((x, before), (x, y))


def _round_up(top: float) -> float:
    """The next round number: 1, 2 or 5 times a power of ten. Halves of it are round too, as the axis shows them."""
    if top <= 0:
        return 1.0
    size = 10.0 ** (ceil(log10(top)) - 1)
    return next(step * size for step in (1, 2, 5, 10) if step * size >= top * 0.999)


def _format_tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


# --- marks --------------------------------------------------------------------------------------


def _draw(form: str, *values: Any) -> Markup:
    return Markup(form).format(*values)


def _text(kind: str, x: float, y: float, text: object) -> Markup:
    return _draw('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>', kind, x, y, text)


def _rect(kind: str, x: float, y: float, width: float, height: float, title: str) -> Markup:
    form = '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"><title>{}</title></rect>'
    return _draw(form, kind, x, y, width, height, title)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float, title: str = "") -> Markup:
    form = '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}">{}</line>'
    return _draw(form, kind, x1, y1, x2, y2, _draw("<title>{}</title>", title) if title else "")


def _svg(marks: Iterable[Markup], height: float, width: float = WIDTH, kind: str = "wide") -> Markup:
    form = '<svg class="chart {}" viewBox="0 0 {} {:.0f}" role="img">{}</svg>'
    return _draw(form, kind, width, height, Markup("").join(marks))
