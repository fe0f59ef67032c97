"""Lines that can't be read: each named with its reason, and the ways to go on."""

from collections.abc import Sequence
from typing import Final

from aide.errors import InputError
from aide.seeds.chats import NO_ANSWER
from aide.seeds.tables import LineProblem

_MAX_PROBLEMS: Final = 20  # named in one error; more would push the hint off the screen


def report_problems(problems: Sequence[LineProblem], *, skip_bad: bool, any_left: bool) -> None:
    """Refuse a file with lines that can't be read, each named; with `skip_bad` only where no other is left.

    Raises:
        InputError: with the ways to go on.
    """
    if not problems or (skip_bad and any_left):
        return
    named = "\n".join(map(str, problems[:_MAX_PROBLEMS]))
    more = f"\nand {len(problems) - _MAX_PROBLEMS} more" if len(problems) > _MAX_PROBLEMS else ""
    unread = any(
        "field" in problem.reason or ("has no" in problem.reason and problem.reason != NO_ANSWER)
        for problem in problems
    )
    ways = ["name the columns with --input-field and --output-field"] if unread else []
    if any("(it says" in problem.reason for problem in problems):
        ways.append("if such a word is a label, name all labels with --labels")
    if any(problem.reason == NO_ANSWER for problem in problems):
        ways.append("have the last turns answered with --answer-missing")
    ways += ["mend the file"] + (["leave such lines out with --skip-bad"] if any_left else [])
    raise InputError(named + more, hint=", or ".join(ways))
