"""`aide merge`: parts of a run become one."""

from typing import TYPE_CHECKING, Annotated

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, format_json_line, make_stderr_console
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.run.merging import Merge


def merge(
    folder: Folder,
    partial: Annotated[
        bool, typer.Option("--partial", help="Merge what is there, also if parts are missing or unfinished.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Make the parts of a run one run folder, without the records that repeat one of another part.

    DIR is what `aide expand --partition I/N -o DIR` was given. The parts stay as they are. Afterwards every command
    takes DIR as the folder of one run, and `aide expand SEEDS -o DIR` grows what is short of the target.

    Exit codes: 0 done, 2 parts are missing, 5 folder in use, 6 short of the target.
    """
    from aide.run.folder import RunFolder
    from aide.run.merging import merge_parts
    from aide.run.service import SYSTEM_CLOCK

    done = merge_parts(RunFolder(folder), SYSTEM_CLOCK.now, partial=partial)
    if json_:
        Output().line(format_json_line(done.as_dict()))
    else:
        _describe(done, str(folder))
    raise typer.Exit(6 if done.missing else 0)


def _describe(done: "Merge", folder: str) -> None:
    console = make_stderr_console()
    for line in done.left_out:
        console.print(f"left out or unfinished: {line}", markup=False)
    wanted = "" if done.target is None else f" of {done.target:,}"
    console.print(
        f"merged {format_plural(len(done.merged), 'part')}: {done.accepted:,} records{wanted}; "
        f"{done.repeated:,} taken out that repeat one of another part"
    )
    if done.extra:
        late = f"; {', '.join(done.late)} came late and would not have been needed" if done.late else ""
        console.print(f"{done.extra:,} more than asked for{late}", markup=False)
    if done.missing:
        named = ", ".join(f"{name} by {count:,}" for name, count in done.short.items())
        console.print(f"short by {done.missing:,}{f': {named}' if named else ''}", markup=False)
        console.print(f"`aide expand` with the same seeds and -o {folder} grows the rest", markup=False)
