"""`aide prompts`: list the prompts, copy them for editing, show what a copy changes."""

import difflib
import json
from pathlib import Path
from typing import Annotated, Final

import typer

from aide.cli.console import Output, make_stderr_console
from aide.cli.helptext import PlainCommand, PlainGroup, format_examples, print_help_and_exit
from aide.config import resources
from aide.errors import InputError

prompts = typer.Typer(
    cls=PlainGroup,
    callback=print_help_and_exit,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)

_FOLDER: Final = typer.Option(
    "--prompts", metavar="DIR", help="Folder with prompt files that replace the built-in ones."
)


@prompts.command(
    "list",
    cls=PlainCommand,
    epilog=format_examples("aide prompts list", "aide prompts list --prompts my_prompts --json"),
)
def list_prompts(
    folder: Annotated[Path | None, _FOLDER] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object: file by name.")] = False,
) -> None:
    """List all prompts; those from your own folder are marked."""
    out = Output()
    files = {
        name: resources.find_file("prompts", name, folder) for name in resources.list_names("prompts", folder)
    }
    if as_json:
        out.line(json.dumps({name: str(path) for name, path in files.items()}))
        return
    for name, path in files.items():
        out.line(f"{name}  ({path})" if folder is not None and path == folder / name else name)


@prompts.command(
    "export",
    cls=PlainCommand,
    epilog=format_examples("aide prompts export my_prompts", "aide prompts export my_prompts --force"),
)
def export_prompts(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to copy to; created if it does not exist.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that were changed there.")] = False,
) -> None:
    """Copy the built-in prompts to a folder, to edit them there and use them with --prompts."""
    names = resources.list_names("prompts")
    changed = [
        name for name in names if _read_own(folder / name) not in (None, resources.read_file("prompts", name))
    ]
    # All or nothing: a folder of old and new prompts would be neither.
    if changed and not force:
        raise InputError(
            f"{folder / changed[0]} was changed and would be overwritten",
            hint="--force overwrites it; `aide prompts diff` shows the change",
        )
    for name in names:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(resources.read_file("prompts", name), encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{path} can't be written: {error.strerror}", hint="choose another folder"
            ) from error
    make_stderr_console().print(
        f"{len(names)} prompts are in {folder}; edit them there, delete those you do not change, "
        f"and run with --prompts {folder}"
    )


@prompts.command(
    "diff",
    cls=PlainCommand,
    epilog=format_examples("aide prompts diff my_prompts", "aide prompts diff my_prompts | less"),
)
def diff_prompts(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of your own prompts.")],
) -> None:
    """Show how the prompts of a folder differ from the built-in ones, line by line."""
    shipped = set(resources.list_names("prompts"))
    out = Output()
    for name in resources.list_names("prompts", folder):
        mine = _read_own(folder / name)
        if mine is None:
            continue
        before = resources.read_file("prompts", name) if name in shipped else ""
        lines = difflib.unified_diff(
            before.splitlines(), mine.splitlines(), f"built-in/{name}", str(folder / name), lineterm=""
        )
        for line in lines:
            out.line(line)


def _read_own(path: Path) -> str | None:
    """The text of a file; `None` if there is none."""
    if not path.is_file():
        return None
    return resources.read_file("prompts", path.name, path.parent)
