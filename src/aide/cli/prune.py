"""`aide prune`: take branches out of the shards, or put them back."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, make_stderr_console
from aide.errors import InputError

if TYPE_CHECKING:
    from aide.run.lineage import Pruning, Selection


def prune(
    folder: Folder,
    ancestor: Annotated[
        list[str] | None,
        typer.Option(
            "--ancestor",
            help="Record or seed; it and all its descendants. The beginning of an id is enough.",
            metavar="ID",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", help="Records for which this holds, and all their descendants.", metavar="EXPR"
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option("--ids", help="File with one id or one record a line; - is stdin.", metavar="FILE"),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Put back what is named, or everything if nothing is named.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the records.")] = False,
    json_: AsJson = False,
) -> None:
    """Take records and all their descendants out of the shards. Nothing is lost: --restore puts them back.

    Running the same `aide expand` again grows other records in their place, and pays for nothing else.
    """
    from aide.run.folder import RunFolder
    from aide.run.lineage import prune_or_restore

    selection = _make_selection(ancestor or [], where, ids, everything=restore)
    done = prune_or_restore(RunFolder(folder), selection, back=restore, dry=dry_run)
    _report(done, back=restore, dry=dry_run, as_json=json_)


def _make_selection(
    ancestor: list[str], where: str | None, ids: str | None, *, everything: bool
) -> "Selection":
    from aide.dataset.expression import compile_expression
    from aide.run.lineage import Selection

    if not everything and not ancestor and where is None and ids is None:
        raise InputError(
            "nothing is named",
            hint="--ancestor ID, --where EXPR or --ids FILE; --restore alone puts everything back",
        )
    if where is not None:
        if ancestor or ids is not None:
            raise InputError(
                "--where can't be combined with ids", hint="prune twice, or use id in the condition"
            )
        condition = compile_expression(where)
        return Selection(f"--where {where}", (), condition, condition.names)
    roots = [*ancestor, *(_read_ids(ids) if ids is not None else ())]
    if ids is not None and not roots:
        source = "stdin" if ids == "-" else ids
        raise InputError(f"there are no ids in {source}", hint="one id or one record a line")
    return Selection(f"{len(roots)} by id" if roots else "all", roots)


def _report(done: "Pruning", *, back: bool, dry: bool, as_json: bool) -> None:
    if as_json:
        facts = {"named": done.named, "moved": done.moved, "left": done.left, "pruned": done.out}
        Output().line(json.dumps({**facts, "restored": back}))
        return
    console = make_stderr_console()
    verb = f"{'would be ' if dry else ''}{'back in' if back else 'out of'} the shards"
    console.print(
        f"{verb}: {done.moved:,} records ({done.named:,} named); {done.left:,} in the shards, "
        f"{done.out:,} pruned"
    )
    if done.moved and not back and not dry:
        console.print(
            "the same `aide expand` grows others in their place; `aide prune DIR --restore` puts them back"
        )


def _read_ids(source: str) -> Iterator[str]:
    """Ids from lines: plain ones, or the field `id` of JSON objects."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"{source} can't be read: {fault}", hint="--ids needs a file, or - for stdin"
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
