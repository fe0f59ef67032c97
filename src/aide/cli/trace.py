"""`aide trace`: how a record came to be."""

import shutil
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, format_json_line, make_printable
from aide.cli.folding import fold_line
from aide.cli.record_text import format_score
from aide.records import PLAIN, Lineage, read_output, read_varying, show_chat

LENGTHS: Final = (360, 240, 160, 110, 70)
"""Columns that a text may have. On a terminal the first is used with which everything fits on one screen."""

INDENT: Final = 12
"""Columns before the text of a line."""


def trace(
    folder: Folder,
    id: Annotated[
        str, typer.Argument(help="Id of a record, reject or seed; its beginning is enough.", metavar="ID")
    ],
    prompts: Annotated[bool, typer.Option("--prompts", help="Also show prompts and raw answers.")] = False,
    json_: AsJson = False,
) -> None:
    """Show how a record came to be: for each hop from its seed, input, origin, scores, critique, calls and cost.

    Of an input with parts, the varying part is shown. A seed may also be named by its own id. On a terminal,
    texts are cut so that everything fits on one screen; --json and --prompts show them in full.
    """
    from aide.run.folder import RunFolder
    from aide.run.lineage import trace_node

    steps = [step.as_dict(prompts=prompts) for step in trace_node(RunFolder(folder), id)]
    output = Output()
    if json_:
        output.line(format_json_line({"id": steps[-1]["id"], "way": steps}))
        return
    # Into a file or a pipe nothing is folded or cut to a screen that is not there.
    fit = sys.stdout.isatty() and not prompts
    for line in _fit_to_screen(steps) if fit else _describe_all(steps, prompts=prompts):
        output.line(line)


def _describe_all(steps: list[dict[str, Any]], *, prompts: bool) -> Iterator[str]:
    for step in steps:
        yield from _describe(step, LENGTHS[0])
        if prompts:
            yield from _show_prompts(step)


def _fit_to_screen(steps: list[dict[str, Any]]) -> list[str]:
    """All steps folded to the terminal's width, with texts as long as one screen has space for."""
    width, height = shutil.get_terminal_size()
    folded: list[str] = []
    for longest in LENGTHS:
        folded = [
            part
            for step in steps
            for line in _describe(step, longest)
            for part in fold_line(line, width, INDENT)
        ]
        if len(folded) < height:
            break
    return folded


def _describe(step: dict[str, Any], longest: int) -> Iterator[str]:
    content = step["content"]
    pruned, name = " (pruned)" if step["pruned"] else "", make_printable(content.get("name") or "", 40)
    origin = _describe_origin(content.get("lineage"))
    yield f"{step['kind']}{pruned} {step['id']}{f' ({name})' if name else ''}{origin}"
    for label, text in _list_texts(content):
        yield f"  {make_printable(label, 9):9} {make_printable(text, longest)}"
    if traits := (content.get("lineage") or {}).get("traits"):
        yield f"  {'traits':9} {_list_values(traits)}"
    scores = {name: value for name, value in content.get("scores", {}).items() if name != "fault"}
    if scores:
        wrote = f"; revisions {content['revisions']}" if "revisions" in content else ""
        model = f"; model {make_printable(content['model'], 60)}" if content.get("model") else ""
        yield f"  {'scores':9} {_list_values(scores)}{wrote}{model}"
    if step["calls"]:
        tokens, cost = step["tokens"], _format_cost(step["cost"])
        names = ", ".join(_name_call(call) for call in step["calls"])
        yield f"  {'calls':9} {names}: {tokens['prompt']:,} + {tokens['completion']:,} tokens, {cost}"


def _list_texts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from content.get("fixed", ())
    yield "input", show_chat(content) or read_varying({"input": "", **content}) or "(not kept)"
    if content.get("output"):
        yield "output", read_output(content)
    if content.get("choices"):
        yield "choices", " | ".join(content["choices"])
    if content.get("reason"):
        yield "reason", f"{content['reason']}, at {content['step']}"
    if content.get("detail"):
        yield "detail", content["detail"]
    elif fault := content.get("scores", {}).get("fault"):
        yield "fault", fault


def _show_prompts(step: dict[str, Any]) -> Iterator[str]:
    for call in step["calls"]:
        tokens = f"{call['prompt_tokens']:,} + {call['completion_tokens']:,} tokens"
        yield f"  -- {_name_call(call)}: {tokens}, {_format_cost(call['cost'])}"
        for name in ("system", "user", "answer"):
            yield f"    [{name}]"
            yield from (f"    {make_printable(part)}" for part in call[name].splitlines())


def _list_values(values: dict[str, Any]) -> str:
    return ", ".join(f"{make_printable(name, 40)} {format_score(value)}" for name, value in values.items())


def _name_call(call: dict[str, Any]) -> str:
    draw = f" draw {call['draw']}" if call["draw"] else ""
    shared = f" (1/{call['shared_by']})" if call["shared_by"] > 1 else ""
    return f"{call['step']}{draw}{' re-asked' if call['attempt'] else ''}{shared}"


def _format_cost(cost: float | None) -> str:
    return "cost ?" if cost is None else f"{cost:.5f} USD"


def _describe_origin(lineage: dict[str, Any] | None) -> str:
    if not lineage:
        return ""
    origin = make_printable(Lineage.from_dict(lineage).describe(), 240)
    if lineage["operation"] == PLAIN:  # it has no parent that it could have drifted from
        return f"  {origin}"
    return f"  {origin}, {'anchored' if lineage['anchored'] else 'not anchored'}"
