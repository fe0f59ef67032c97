"""What people type out of the habits of other programs, and what they meant by it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

# Options that need a sentence: what is wrong with each, and what helps instead.
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "--api-key": (
        "a key is not taken from the command line: the list of processes and the shell's history would show it",
        "set OPENAI_API_KEY, or name another variable with --api-key-env NAME, or a program with --api-key-command CMD",
    ),
    **dict.fromkeys(
        ("-v", "--verbose", "--debug", "--log-level"),
        (
            "there is no option {typed}",
            "a run says what it does in the aide.log of its folder; AIDE_DEBUG=1 shows the traceback of a fault; "
            "`aide --version` shows the version",
        ),
    ),
    **dict.fromkeys(
        ("--temperature", "--top-p", "--top_p", "--max-tokens", "--max_tokens"),
        (
            "there is no option {typed}: each step samples in its own way",
            "a file given with --config FILE sets it: a line `[steps.synthesize]`, then `temperature = 0.7`; "
            "likewise `top_p` and `max_output`",
        ),
    ),
    **dict.fromkeys(
        ("--resume", "--continue", "--restart"),
        (
            "there is no option {typed}: the same command again goes on",
            "leave it out; nothing is paid for twice",
        ),
    ),
    **dict.fromkeys(
        ("--overwrite", "--force", "-f"),
        ("there is no option {typed}: a run folder is never overwritten", "name a new folder with -o DIR"),
    ),
    "--dry-run": ("there is no option --dry-run", "`aide plan`, with the same options, spends nothing"),
}

# Options by the names that others give them, each with ours; the first that a command has is meant.
_MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("-n", "--n", "--num", "--count", "--limit", "--num-samples", "--num-records", "--size"), ("--target", "--size")
    ),
    **dict.fromkeys(("--api-base", "--url", "--host", "--endpoint", "--provider"), ("--base-url",)),
    **dict.fromkeys(("--output", "--output-dir", "--out-dir", "--output-file", "--output-path", "-d"), ("--out",)),
    **dict.fromkeys(("--workers", "--threads", "--parallel", "--batch-size", "--max-workers"), ("--concurrency",)),
    **dict.fromkeys(("--instruction", "--prompt", "--description"), ("--task",)),
    **dict.fromkeys(("--format", "--type", "-f"), ("--to",)),
    **dict.fromkeys(("--budget", "--max-budget", "--max-usd"), ("--max-cost",)),
    **dict.fromkeys(("--test", "--test-set", "--eval"), ("--avoid",)),
    **dict.fromkeys(("--depth", "--rounds"), ("--hops",)),
    **dict.fromkeys(("-m",), ("--model",)),
    **dict.fromkeys(("-q", "--silent"), ("--quiet",)),
}  # fmt: skip

# Commands by the names that others give them.
_COMMANDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("generate", "grow", "run", "create", "augment", "synthesize", "start", "resume"), "expand"),
    **dict.fromkeys(("estimate", "cost", "price"), "plan"),
    **dict.fromkeys(("view", "show", "head", "cat", "browse", "list"), "records"),
    **dict.fromkeys(("convert", "to", "format"), "export"),
    **dict.fromkeys(("evaluate", "measure", "analyze"), "stats"),
    **dict.fromkeys(("judge", "score"), "grade"),
    **dict.fromkeys(("check", "test", "ping", "models"), "doctor"),
    **dict.fromkeys(("serve", "server", "mock"), "simulate"),
    **dict.fromkeys(("validate", "lint"), "plan"),
    "deduplicate": "dedup",
    "settings": "config",
}  # fmt: skip


def explain_option(
    typed: str, known: Collection[str], words: Sequence[str], commands: Collection[str]
) -> tuple[str, str]:
    """What is wrong with an option that the command does not have, and what helps; two empty texts for a mere typo.

    `known` are the options of the command, `words` all that was typed after `aide`.
    """
    if typed in _SENTENCES:
        told, hint = _SENTENCES[typed]
        if typed not in _MEANT or not set(_MEANT[typed]) & set(known):
            return told.format(typed=typed), hint
    meant = next((each for each in _MEANT.get(typed, ()) if each in known), "")
    if meant:
        return f"there is no option {typed}", f"it is called {meant} here"
    # One dash begins a row of single letters, so that -target is read as -t and so on.
    for word in words:
        name = word.partition("=")[0]
        if len(typed) == 2 and name.startswith(typed) and f"-{name}" in known:
            return f"there is no option {name}", f"it has two dashes: -{name}"
    if (
        words
        and words[0].startswith("-")
        and (command := next((each for each in words if each in commands), ""))
    ):
        return (
            f"there is no option {typed} before a command",
            f"options stand behind it: aide {command} … {typed} …",
        )
    return "", ""


def find_command(typed: str, commands: Collection[str]) -> str:
    """The command that others call so; empty where there is none."""
    meant = _COMMANDS.get(typed.casefold(), "")
    return meant if meant in commands else ""
