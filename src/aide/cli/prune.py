"""`aide prune DIR`: take branches out of the shards, or put them back."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from aide.cli.console import Output, stderr
from aide.errors import InputError


def prune(
    folder: Annotated[Path, typer.Argument(help="Run folder.", metavar="DIR")],
    ancestor: Annotated[
        list[str] | None,
        typer.Option(
            "--ancestor",
            help="A record or seed: it and all that grew from it. Its beginning is enough.",
            metavar="ID",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", help="Records for which this holds, and all that grew from them.", metavar="EXPR"
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="A file of ids or of records, one a line; - is stdin.", metavar="FILE"),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Put back what is named; alone, all that was pruned.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many records it would be.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Take records and all that grew from them out of the shards. Nothing is lost: --restore puts them back.

    Their places are free afterwards: running the same `aide expand` again fills them, and pays for nothing else.
    """
    from aide.filters.expression import compile_expression
    from aide.lineage import Selection, cut
    from aide.pipeline.folder import RunFolder

    if not restore and not ancestor and where is None and ids is None:
        raise InputError(
            "nothing is named",
            hint="--ancestor ID, --where EXPR or --ids FILE; --restore alone takes all prunes back",
        )
    if where is not None and (ancestor or ids is not None):
        raise InputError(
            "--where goes alone",
            hint="prune twice, or name the fields lineage.parent_id or id in the condition",
        )
    condition = compile_expression(where) if where is not None else None
    roots = [*(ancestor or ()), *(_ids(ids) if ids is not None else ())]
    if ids is not None and not roots:
        raise InputError(
            f"there are no ids in {'stdin' if ids == '-' else ids}", hint="one id or one record a line"
        )
    how = f"--where {where}" if where else f"{len(roots)} by id" if roots else "all"
    names = condition.names if condition else ()
    done = cut(RunFolder(folder), Selection(how, roots, condition, names), back=restore, dry=dry_run)
    if json_:
        facts = {
            "named": done.named,
            "moved": done.moved,
            "left": done.left,
            "pruned": done.out,
            "restored": restore,
        }
        Output().line(json.dumps(facts))
        return
    verb = "back in the shards" if restore else "out of the shards"
    told = f"{'would be ' if dry_run else ''}{verb}: {done.moved:,} records ({done.named:,} named); {done.left:,} in the shards, {done.out:,} pruned"
    console = stderr()
    console.print(told)
    if done.moved and not restore and not dry_run:
        console.print("the same `aide expand` fills their places; `aide prune DIR --restore` puts them back")


def _ids(source: str) -> Iterator[str]:
    """Ids from lines: bare ones, or the field `id` of JSON objects."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"{source} can't be read: {fault}", hint="--ids takes a file, or - for stdin"
        ) from fault
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip()
        if word.startswith("{"):
            try:
                word = json.loads(word)["id"]
            except (ValueError, KeyError) as fault:
                raise InputError(
                    f"{source}:{number} is no record with an id", hint="one id or one record a line"
                ) from fault
        if word:
            yield str(word)
