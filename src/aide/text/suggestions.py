"""What a mistyped name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggest_name(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """`; did you mean 'x'?` to end a message with; empty where no known name has that likeness, from 0 to 1.

    Capitals and small letters count as alike.
    """
    spelled = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), list(spelled), n=1, cutoff=likeness)
    return f"; did you mean {spelled[near[0]]!r}?" if near else ""
