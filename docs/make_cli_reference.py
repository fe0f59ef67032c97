"""Write `docs/cli-reference.md` from what `--help` says: `python docs/make_cli_reference.py`.

A test fails while the file differs from what this would write, so it is never edited by hand.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from aide.cli.commands import COMMANDS
from aide.cli.helptext import HELP_ALL
from aide.cli.main import app, load_command

TARGET: Final = Path(__file__).with_name("cli-reference.md")
HEAD: Final = """\
# Command line reference

Every command as its own `--help` tells it, with the rare options of `--help-all`; written by
`docs/make_cli_reference.py`. The README explains the exit codes, `configs/default.toml` lists all settings.
"""


def reference() -> str:
    """The whole page."""
    sections = (
        f"{'#' * max(2, 1 + len(words))} {' '.join(('aide', *words))}\n\n```text\n{_help(*words)}\n```\n"
        for words in _commands()
    )
    return "\n".join((HEAD, *sections))


def _commands() -> Iterator[tuple[str, ...]]:
    """What stands after `aide`: nothing, each command, and the commands of those that have some."""
    yield ()
    for name, entry in COMMANDS.items():
        yield (name,)
        for inner in getattr(load_command(name, entry), "commands", {}):
            yield (name, inner)


def _help(*words: str) -> str:
    """What a person reads in a terminal of 80 columns, without colours and without settings of their own.

    Rare options are shown, too.
    """
    shown = _run(*words, "--help")
    return _run(*words, HELP_ALL) if HELP_ALL in shown else shown


def _run(*words: str) -> str:
    unset = dict.fromkeys(name for name in os.environ if name.startswith(("AIDE_", "_AIDE_")))
    shown = CliRunner().invoke(app, words, prog_name="aide", env={**unset, "COLUMNS": "80", "NO_COLOR": "1"})
    if shown.exit_code:
        raise RuntimeError(f"aide {' '.join(words)} ended with {shown.exit_code}") from shown.exception
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
