"""The whole error tree. Every class has a scope that says who must deal with it.

`call`: trying the same call again may heal it. `node`: this record is lost, the run goes on.
`run`: nothing more can be done; stop, keep everything, and tell the person what to change.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal

Scope = Literal["call", "node", "run"]
FailureKind = Literal["rate", "overload", "server", "timeout", "connection", "refused"]


class AideError(Exception):
    """Root of all faults that `aide` foresees."""

    scope: ClassVar[Scope] = "run"
    """Who must deal with it."""
    exit_code: ClassVar[int] = 1
    """The status of the process that ends with it."""

    def __init__(self, message: str, *, hint: str = "", remedy: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        """One sentence that says what a person can do; shown after `hint:`."""
        self.remedy = tuple(remedy)
        """Options that mend it when they are added to the command."""
        self.endpoint = ""
        """The name of the endpoint where it happened; empty where no endpoint is concerned."""


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

    def __init__(self, message: str, *, hint: str = "", lasting: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.lasting = lasting
        """True when no patience heals it, even where calls were answered before: a quota is spent."""


class FolderHeld(AideError):
    """Another process holds the run folder."""

    exit_code = 5


class HopelessRun(AideError):
    """Nothing comes of the calls; going on would only be paid for."""

    exit_code = 6


class BatchesPending(AideError):
    """All that is left to do waits for batches; the run goes on when it is called again."""

    exit_code = 7


class Interrupted(AideError):
    """The person asked the run to stop; the run can be resumed."""

    exit_code = 130


# --- scope: call --------------------------------------------------------------------------------


class CallError(AideError):
    """An attempt failed in a way that may heal."""

    scope = "call"

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        retry_after: float | None = None,
        at_once: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        """What failed: `rate` (turned away, 429), `overload` (503, 529, 498), `server` (other 5xx, or an error inside
        a 200), `timeout`, `connection` (reset, cut body), `refused` (would end the run, had nothing been answered).
        """
        self.retry_after = retry_after
        """Seconds the server asked to wait; `None` where it named none."""
        self.at_once = at_once
        """True when the first repeat need not wait: the connection alone is at fault, or another endpoint is free."""


# --- scope: node --------------------------------------------------------------------------------


class NodeError(AideError):
    """One record can't be made; the run goes on without it."""

    scope = "node"

    input: str = ""
    """The text that the record had come to, where there was one."""
    scores: Mapping[str, Any] = MappingProxyType({})
    """What the judge had said of it by then."""

    def __init__(self, reason: str, message: str, *, failed: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        """The word under which it is counted."""
        self.failed = failed
        """True when `--retry-failed` may try again: the fault was the endpoint's, not the record's."""


class Rejection(NodeError):
    """The record was judged and found wanting."""

    def __init__(self, step: str, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail or reason)
        self.step = step
        """Where: the step or check that refused it."""
        self.detail = detail
        """What was wrong with this record; kept in `rejects.jsonl`."""


class Unusable(NodeError):
    """What the model said can't be used."""

    def __init__(self, reason: str, problem: str, said: str = "") -> None:
        super().__init__(reason, problem)
        self.problem = problem
        """What is wrong with it, in words that the model is told."""
        self.said = said
        """The model's text."""
