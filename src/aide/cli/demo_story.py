"""What `aide demo` shows after the runs: a tree, a text that was written again, the balance, what comes next."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aide.cli.console import escape_for_console, print_pairs
from aide.records import PLAIN, Lineage
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree

    from aide.demo import Growth, Mending
    from aide.run.folder import RunFolder

LONGEST: Final = 320
"""Columns of a text that are shown."""

OPENAI: Final = "https://api.openai.com/v1"
PRICED: Final = ("gpt-6-sol", "gpt-6-luna")
"""Models whose list prices are shown, a large one and a small one of `configs/prices.toml`."""


def print_tree(console: "Console", name: str, growth: "Growth") -> None:
    """One seed with what it is about, its children and a grandchild."""
    from rich.tree import Tree

    console.print(f"\n[bold]One seed of {escape_for_console(name)}, and some of what grew from it[/bold]")
    tree = Tree(_describe_node(growth), guide_style="dim")
    _add_children(tree, growth)
    # Off a terminal, too, lines are folded here: a tree whose lines are not is none.
    console.print(tree, soft_wrap=False)


def _add_children(tree: "Tree", growth: "Growth") -> None:
    for child in growth.children:
        _add_children(tree.add(_describe_node(child)), child)


def _describe_node(growth: "Growth") -> str:
    lineage = growth.lineage
    head = "seed" if lineage is None else f"hop {lineage.hop}, {lineage.operation}"
    lines = [f"[bold]{escape_for_console(head)}[/bold]"]
    if lineage is not None:
        grades = ", ".join(
            f"{name} {growth.scores[name]}" for name in ("relevance", "diversity") if name in growth.scores
        )
        origin = f" ({escape_for_console(_explain_origin(lineage), 120)})"
        lines = [f"{lines[0]}[dim]{origin}{f'  {grades}' if grades else ''}[/dim]"]
    lines.append(_shorten(growth.text))
    lines.append(f"[dim]answer[/dim] {_shorten(growth.answer)}")
    about = [" / ".join((each.relation, each.attribute)) for each in growth.triples]
    if about:
        lines.append(f"[dim]about {_shorten(growth.triples[0].topic)}: {_shorten('; '.join(about))}[/dim]")
    if growth.personas:
        lines.append(f"[dim]asked by somebody {_shorten('; '.join(growth.personas))}[/dim]")
    return "\n".join(lines)


def _explain_origin(lineage: Lineage) -> str:
    """What it was grown from. A plain record has no parent: nothing but length and form come from the seed."""
    own = lineage.origin
    return f"{own}; only length and form are the seed's" if lineage.operation == PLAIN else own


def print_mending(console: "Console", name: str, mended: "Mending") -> None:
    """A text that did not pass the judge, why, and what it became."""
    refused = "refused" if not mended.after else "written again"
    console.print(f"\n[bold]A text that did not pass, and was {refused}[/bold] ({escape_for_console(name)})")
    rows = [("text", _shorten(mended.before)), ("judge", _shorten(mended.reason))]
    print_pairs(console, [*rows, *([("then", _shorten(mended.after))] if mended.after else [])])


def print_balance(console: "Console", summaries: Mapping[str, Mapping[str, Any]]) -> None:
    """Records, calls and tokens of the runs, and what these would cost at list prices."""
    from aide.config.prices import find_list_price, read_price_date
    from aide.records import Usage

    console.print("\n[bold]What it took[/bold]")
    width = max(map(len, summaries))
    total, records = Usage(), 0
    for name, summary in summaries.items():
        usage = Usage(summary["calls"], summary["tokens"]["prompt"], summary["tokens"]["completion"])
        total, records = total + usage, records + summary["accepted"]
        console.print(f"  {escape_for_console(name):{width}}  {_describe_usage(summary['accepted'], usage)}")
    console.print(f"  {'together':{width}}  {_describe_usage(records, total)}")
    costs = [
        f"{(price.input * total.prompt + price.output * total.completion) / 1e6:.2f} USD with {model}"
        for model in PRICED
        if (price := find_list_price(OPENAI, model))
    ]
    if costs:
        console.print(f"  at list prices ({read_price_date()}): {', '.join(costs)}")


def _describe_usage(records: int, usage: Any) -> str:
    return (
        f"{format_plural(records, 'record'):>11}, {format_plural(usage.calls, 'call'):>9}, "
        f"{usage.prompt:>7,} tokens in, {usage.completion:>6,} out"
    )


def print_next(console: "Console", folders: "Sequence[RunFolder]", reports: Sequence[Path]) -> None:
    """The reports, and the commands that come next, each as it stands."""
    import shlex

    console.print(f"\n[bold]{'Reports' if len(reports) > 1 else 'Report'}[/bold], for a browser:")
    for path in reports:
        console.print(f"  {escape_for_console(str(path))}", soft_wrap=True)
    name = folders[0].path.name
    rows = [
        (shlex.join(["aide", "records", str(folders[0].path)]), "read these records"),
        (f"aide plan sample:{name} --target 1000", "what a larger run would take; spends nothing"),
        (
            f"aide expand sample:{name} --base-url sim: --target 100",
            "a run on the built-in simulator: its texts are nonsense",
        ),
    ]
    console.print("\n[bold]Next[/bold], each as it stands:")
    for command, what in rows:
        console.print(f"  {escape_for_console(command)}", soft_wrap=True)
        console.print(f"      [dim]{what}[/dim]")
    console.print("With your own examples and model, the first look is:")
    console.print("  aide preview YOUR.csv --base-url http://HOST/v1 --model NAME", soft_wrap=True)


def _shorten(text: str) -> str:
    return escape_for_console(text, LONGEST)
