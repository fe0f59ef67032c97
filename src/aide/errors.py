"""The whole error tree. Every class has a scope that says who must deal with it.

`call`: trying the same call again may heal it. `node`: this record is lost, the run goes on.
`run`: nothing more can be done; stop, keep everything, and tell the person what to change.
"""

from typing import ClassVar, Literal

Scope = Literal["call", "node", "run"]


class AideError(Exception):
    """Root of all faults that `aide` foresees.

    `hint` is one sentence that says what a person can do; it is shown after `hint:`.
    """

    scope: ClassVar[Scope] = "run"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


# --- scope: run ---------------------------------------------------------------------------------


class InputError(AideError):
    """Something the person gave is wrong: a file, a line, an option, a folder. Nothing was spent."""

    exit_code = 2


class BudgetSpent(AideError):
    """A cap on calls, tokens, money or minutes was reached; the run can be resumed."""

    exit_code = 3


class EndpointUnusable(AideError):
    """The endpoint can't serve this run (bad key, unknown model, quota, unreachable); resumable."""

    exit_code = 4


class FolderHeld(AideError):
    """Another process holds the run folder."""

    exit_code = 5


class Interrupted(AideError):
    """The person asked the run to stop; the run can be resumed."""

    exit_code = 130


# --- scope: call --------------------------------------------------------------------------------


class CallError(AideError):
    """An attempt failed in a way that may heal.

    Attributes:
        retry_after: seconds the server asked to wait, `None` where it named none.
        kind: `rate` (turned away: 429), `overload` (503, 529, 498), `server` (other 5xx, an error
            inside a 200), `timeout`, `connection` (reset, refused, cut body).
        at_once: the fault lies in the connection alone (the keep-alive race): the first repeat
            need not wait.
    """

    scope = "call"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retry_after: float | None = None,
        at_once: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retry_after = retry_after
        self.at_once = at_once


# --- scope: node --------------------------------------------------------------------------------


class NodeError(AideError):
    """One record can't be made; `reason` is the word under which it is counted, `input` the text it came to."""

    scope = "node"
    input: str = ""

    def __init__(self, reason: str, message: str, *, failed: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.failed = failed


class Rejection(NodeError):
    """The record was judged and found wanting at `step`: `reason` is counted, `detail` is kept."""

    def __init__(self, step: str, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail or reason)
        self.step = step
        self.detail = detail


class Unusable(NodeError):
    """What the model said can't be used; `said` is its text, `problem` what is wrong with it."""

    def __init__(self, reason: str, problem: str, said: str = "") -> None:
        super().__init__(reason, problem)
        self.problem = problem
        self.said = said
