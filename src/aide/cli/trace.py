"""`aide trace DIR ID`: how a record came to be."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.console import Output, safe


def trace(
    folder: Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")],
    id: Annotated[str, typer.Argument(help="Id of a record or reject, or the beginning of one.", metavar="ID")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Also what was sent and what came back.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show a record's way from its seed: each hop's input, what it was grown along, scores, calls and cost."""
    from aide.lineage import trace as way_of
    from aide.pipeline.folder import RunFolder

    way = [step.as_dict(prompts=prompts) for step in way_of(RunFolder(folder), id)]
    output = Output()
    if json_:
        output.line(json.dumps({"id": way[-1]["id"], "way": way}, ensure_ascii=False))
        return
    for step in way:
        for line in _lines(step, prompts=prompts):
            output.line(line)


def _lines(step: dict[str, Any], *, prompts: bool) -> list[str]:
    content = step["content"]
    lineage = content.get("lineage")
    lines = [f"{step['kind']} {step['id']}{_grown(lineage)}"]
    for name in ("input", "output", "reason", "detail"):
        if content.get(name):
            lines.append(f"  {name}: {_plain(content[name])}")
    if content.get("scores"):
        scores = ", ".join(f"{name} {value}" for name, value in content["scores"].items())
        lines.append(f"  scores: {scores}; revisions: {content.get('revisions', 0)}; model: {_plain(content.get('model', ''))}")
    for call in step["calls"]:
        cost = "cost ?" if call["cost"] is None else f"{call['cost']:.5f} USD"
        again = f" draw {call['draw']}" if call["draw"] else ""
        again += " re-asked" if call["attempt"] else ""
        lines.append(
            f"  call {call['step']}{again}: {call['prompt_tokens']} + {call['completion_tokens']} tokens, {cost}, {_plain(call['model'])}"
        )
        if prompts:
            for name in ("system", "user", "answer"):
                lines.extend([f"    [{name}]", *(f"    {_plain(part)}" for part in call[name].splitlines())])
    return lines


def _grown(lineage: dict[str, Any] | None) -> str:
    if not lineage:
        return ""
    triple = lineage["triple"]
    along = f"{triple['topic']} / {triple['relation']} / {triple['attribute']}" if triple else lineage["persona"]
    return f"  hop {lineage['hop']}, {lineage['operation']}: {_plain(along or '')}{', anchored' if lineage['anchored'] else ''}"


def _plain(text: str) -> str:
    """Text of a model on one line, without control characters; stdout takes no markup, so none is escaped."""
    return safe(text).replace("\\[", "[")
