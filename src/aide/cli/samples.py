"""Sample seeds by name: `sample:word_problems` is a file that comes with aide, wherever it is installed."""

import re
from pathlib import Path
from typing import Final

import typer

from aide.config.resources import find_file, list_names
from aide.errors import InputError
from aide.text.suggestions import suggest_name

SAMPLE: Final = "sample:"
_NAME: Final = re.compile(r"sample:[\w.-]*")


def list_samples() -> list[str]:
    """The names of the sample seeds."""
    return [Path(name).stem for name in list_names("sample_seeds")]


def find_samples(words: list[str]) -> list[str]:
    """The words of a command line with the path of the file in place of each `sample:NAME`.

    Raises:
        InputError: there are no such sample seeds.
    """
    return [_find_sample(word) if _NAME.fullmatch(word) else word for word in words]


def complete_seeds(ctx: typer.Context, incomplete: str) -> list[str]:
    """What a shell completes for seed files besides its own files."""
    # To bash a colon is a word of its own, and what follows it another.
    if list(ctx.params.get("seeds") or ())[-2:] == [SAMPLE.removesuffix(":"), ":"]:
        return [name for name in list_samples() if name.startswith(incomplete)]
    beginning = bool(incomplete) and (SAMPLE.startswith(incomplete) or incomplete.startswith(SAMPLE))
    names = [f"{SAMPLE}{name}" for name in list_samples()] if beginning else []
    return [name for name in names if name.startswith(incomplete)]


def _find_sample(word: str) -> str:
    name, known = word.removeprefix(SAMPLE).removesuffix(".jsonl"), list_samples()
    if name not in known:
        told = (
            f"there are no sample seeds {name!r}{suggest_name(name, known)}"
            if name
            else "no sample seeds are named"
        )
        raise InputError(told, hint=f"one of {', '.join(f'{SAMPLE}{each}' for each in known)}")
    return str(find_file("sample_seeds", f"{name}.jsonl"))
