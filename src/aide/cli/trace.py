"""`aide trace DIR ID`: how a record came to be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.console import Output, safe

LONGEST = 360  # characters of a text on the screen; `--json` and `--prompts` have all of it


def trace(
    folder: Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")],
    id: Annotated[
        str, typer.Argument(help="Id of a record or reject, or the beginning of one.", metavar="ID")
    ],
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Also what was sent and what came back.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show a record's way from its seed: each hop's input, what it grew along, scores, critique, calls and cost."""
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


def _lines(step: dict[str, Any], *, prompts: bool) -> Iterator[str]:
    content = step["content"]
    out = " (pruned)" if step["pruned"] else ""
    yield f"{step['kind']}{out} {step['id']}{_grown(content.get('lineage'))}"
    for name in ("input", "output", "reason", "detail"):
        if content.get(name):
            yield f"  {name:9} {_plain(content[name], LONGEST)}"
    if content.get("choices"):
        yield f"  {'choices':9} {_plain(' | '.join(content['choices']), LONGEST)}"
    if content.get("scores"):
        scores = ", ".join(f"{name} {_plain(str(value))}" for name, value in content["scores"].items())
        model = _plain(content.get("model", ""))
        yield f"  {'scores':9} {scores}; revisions {content.get('revisions', 0)}; model {model}"
    for draft, critique in enumerate(filter(None, step["critiques"]), start=1):
        yield f"  {'critique':9} {f'(draft {draft}) ' if len(step['critiques']) > 1 else ''}{_plain(critique, LONGEST)}"
    if step["calls"]:
        tokens = step["tokens"]
        names = ", ".join(_call_name(call) for call in step["calls"])
        yield f"  {'calls':9} {names}: {tokens['prompt']:,} + {tokens['completion']:,} tokens, {_money(step['cost'])}"
    if prompts:
        for call in step["calls"]:
            tokens = f"{call['prompt_tokens']:,} + {call['completion_tokens']:,} tokens"
            yield f"  -- {_call_name(call)}: {tokens}, {_money(call['cost'])}"
            for name in ("system", "user", "answer"):
                yield f"    [{name}]"
                yield from (f"    {_plain(part)}" for part in call[name].splitlines())


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
    return f"  hop {lineage['hop']}, {_plain(lineage['operation'])}: {_plain(along or '', LONGEST)}{anchor}"


def _plain(text: str, longest: int | None = None) -> str:
    """Text of a model on one line, without control characters; stdout takes no markup, so none is escaped."""
    plain = safe(text[: 4 * longest] if longest else text).replace("\\[", "[")
    return plain if longest is None or len(plain) <= longest else plain[: longest - 1] + "…"
