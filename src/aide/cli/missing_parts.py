"""What the records of a run in parts lack is said to whoever reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from aide.cli.console import make_stderr_console
from aide.errors import AideError


def watch_sources(ctx: typer.Context, sources: Any) -> Any:
    """Say at the end, on standard error, which parts the run folders among `sources` lack, unless `--quiet`."""
    if sources and not ctx.resilient_parsing:
        ctx.call_on_close(lambda: None if ctx.params.get("quiet") else _tell_missing(sources))
    return sources


def _tell_missing(sources: Sequence[str]) -> None:
    named = (Path(each) if Path(each).exists() else Path(each.partition("=")[2]) for each in sources)
    for path in dict.fromkeys(path for path in named if path.is_dir() and any(path.glob("part-*-of-*"))):
        from aide.run.folder import RunFolder
        from aide.run.parts_progress import list_left_out, read_root_progress

        root = RunFolder(path)
        try:
            left_out, told = list_left_out(root), read_root_progress(root)
        except AideError:  # which the command itself has told
            continue
        if left_out:
            target = told.get("target")
            counted = f"{told.get('accepted', 0):,}{'' if target is None else f' of {target:,}'} records"
            make_stderr_console().print(
                f"note: {path} is not complete, {counted}: without {', '.join(left_out)}", markup=False
            )
