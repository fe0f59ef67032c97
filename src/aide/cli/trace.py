"""`aide trace DIR ID`: how a record came to be."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.console import Output, format_json_line, make_printable
from aide.records import read_varying

LONGEST = (
    360,
    240,
    160,
    110,
    70,
)  # characters of a text; on a terminal the first with which all is on one screen
INDENT = 12  # columns before the text of a line


def trace(
    folder: Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")],
    id: Annotated[
        str, typer.Argument(help="Id of a record, reject or seed, or the beginning of one.", metavar="ID")
    ],
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Also what was sent and what came back.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show a record's way from its seed: each hop's input, what it grew along, scores, critique, calls and cost.

    Of an input with parts the one that varies is shown. A seed may be named by its own id too. On a terminal texts
    are cut until all of it stands on one screen; --json and --prompts have them whole.
    """
    from aide.run.folder import RunFolder
    from aide.run.lineage import trace_node as way_of

    way = [step.as_dict(prompts=prompts) for step in way_of(RunFolder(folder), id)]
    output = Output()
    if json_:
        output.line(format_json_line({"id": way[-1]["id"], "way": way}))
        return
    for line in _screen(way) if sys.stdout.isatty() and not prompts else _all(way, prompts=prompts):
        output.line(line)


def _all(way: list[dict[str, Any]], *, prompts: bool) -> Iterator[str]:
    for step in way:
        yield from _lines(step, LONGEST[0])
        if prompts:
            yield from _prompts(step)


def _screen(way: list[dict[str, Any]]) -> list[str]:
    """The way folded to the terminal, with texts as long as one screen has room for."""
    width, height = shutil.get_terminal_size()
    folded: list[str] = []
    for longest in LONGEST:
        folded = [part for step in way for line in _lines(step, longest) for part in _fold(line, width)]
        if len(folded) < height:
            break
    return folded


def _fold(line: str, width: int) -> Iterator[str]:
    """A line in pieces of at most `width` columns, cut between words; the later ones are indented."""
    from rich.cells import cell_len, chop_cells

    row, *words = line.split(" ")
    for word in words:
        if cell_len(row) + 1 + cell_len(word) <= width:
            row = f"{row} {word}"
            continue
        if row.strip():
            yield row
        whole, row = chop_cells(word, max(1, width - INDENT)) or [""], ""
        yield from (" " * INDENT + piece for piece in whole[:-1])
        row = " " * INDENT + whole[-1]
    yield row


def _lines(step: dict[str, Any], longest: int) -> Iterator[str]:
    content = step["content"]
    out, name = " (pruned)" if step["pruned"] else "", make_printable(content.get("name") or "", 40)
    yield f"{step['kind']}{out} {step['id']}{f' ({name})' if name else ''}{_grown(content.get('lineage'))}"
    for part, text in content.get("fixed", ()):
        yield f"  {make_printable(part, 9):9} {make_printable(text, longest)}"
    yield f"  {'input':9} {make_printable(read_varying({'input': '', **content}) or '(not kept)', longest)}"
    if content.get("output"):
        yield f"  {'output':9} {make_printable(content['output'], longest)}"
    if content.get("choices"):
        yield f"  {'choices':9} {make_printable(' | '.join(content['choices']), longest)}"
    if content.get("reason"):
        yield f"  {'reason':9} {make_printable(content['reason'])}, at {make_printable(content['step'])}"
    if content.get("detail"):
        yield f"  {'detail':9} {make_printable(content['detail'], longest)}"
    if content.get("scores"):
        scores = ", ".join(f"{name} {_score(value)}" for name, value in content["scores"].items())
        model = make_printable(content.get("model", ""), 60)
        yield f"  {'scores':9} {scores}; revisions {content.get('revisions', 0)}; model {model}"
    for draft, critique in enumerate(filter(None, step["critiques"]), start=1):
        told = f"(draft {draft}) " if len(step["critiques"]) > 1 else ""
        yield f"  {'critique':9} {told}{make_printable(critique, longest)}"
    if step["calls"]:
        tokens = step["tokens"]
        names = ", ".join(_call_name(call) for call in step["calls"])
        yield f"  {'calls':9} {names}: {tokens['prompt']:,} + {tokens['completion']:,} tokens, {_money(step['cost'])}"


def _prompts(step: dict[str, Any]) -> Iterator[str]:
    for call in step["calls"]:
        tokens = f"{call['prompt_tokens']:,} + {call['completion_tokens']:,} tokens"
        yield f"  -- {_call_name(call)}: {tokens}, {_money(call['cost'])}"
        for name in ("system", "user", "answer"):
            yield f"    [{name}]"
            yield from (f"    {make_printable(part)}" for part in call[name].splitlines())


def _score(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else make_printable(str(value), 40)


def _call_name(call: dict[str, Any]) -> str:
    return (
        str(call["step"])
        + (f" draw {call['draw']}" if call["draw"] else "")
        + (" re-asked" if call["attempt"] else "")
    )


def _money(cost: float | None) -> str:
    return "cost ?" if cost is None else f"{cost:.5f} USD"


def _grown(lineage: dict[str, Any] | None) -> str:
    if not lineage:
        return ""
    triple = lineage["triple"]
    along = (
        f"{triple['topic']} / {triple['relation']} / {triple['attribute']}" if triple else lineage["persona"]
    )
    anchor = ", anchored" if lineage["anchored"] else ", not anchored"
    return f"  hop {lineage['hop']}, {make_printable(lineage['operation'])}: {make_printable(along or '', 200)}{anchor}"
