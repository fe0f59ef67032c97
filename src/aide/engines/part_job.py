"""What a part of a run needs on another machine, what it tells at its end, and the storage that all must see."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from aide import __version__
from aide.config.partition import Partition
from aide.config.spec import RunSpec
from aide.errors import (
    AideError,
    BatchesPending,
    BudgetSpent,
    EndpointUnusable,
    FolderHeld,
    HopelessRun,
    InputError,
    Interrupted,
)

_KINDS: Final[Mapping[str, type[AideError]]] = {
    kind.__name__: kind
    for kind in (
        AideError, InputError, EndpointUnusable, FolderHeld, BudgetSpent, BatchesPending, HopelessRun, Interrupted,
    )
}  # fmt: skip
"""What may stop a part, the worst first: one of several says how the whole ended."""


@dataclass(frozen=True, slots=True)
class SharedStorage:
    """A file that the driver wrote into the folder of the run, and that every node must find there."""

    working_folder: str
    """Where the driver was started: relative paths begin there on every node."""
    token: str
    """Path of the file. No name is used twice: a node may remember that a file of the same name was not there."""
    text: str
    version: str = __version__

    def find_problem(self) -> str:
        """Why this process can't run a part; empty where it can. Changes to the driver's folder."""
        if self.version != __version__:
            return f"{socket.gethostname()} has aide {__version__}, the driver {self.version}"
        try:
            os.chdir(self.working_folder)
        except OSError as fault:
            return f"{socket.gethostname()} has no folder {self.working_folder} ({fault.strerror})"
        try:
            found = Path(self.token).read_text(encoding="utf-8")
        except OSError as fault:
            found = fault.strerror or str(fault)
        if found != self.text:
            return f"{socket.gethostname()} doesn't see the run folder {Path(self.token).parent}"
        return ""


@contextmanager
def share_token(root: Path) -> Iterator[SharedStorage]:
    """The token of a run, as long as nodes may have to read it."""
    name = uuid4().hex
    path = root.absolute() / f".parts.{name}.tmp"
    with path.open("w", encoding="utf-8") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())  # on a network's file system only then can other machines read it
    try:
        yield SharedStorage(str(Path.cwd()), str(path), name)
    finally:
        with suppress(OSError):
            path.unlink()


@dataclass(frozen=True, slots=True)
class PartJob:
    """One part, as its driver hands it to whatever machine runs it."""

    part: Partition
    spec: RunSpec
    """With its share of the caps."""
    origins: Mapping[str, str]
    seed_files: tuple[str, ...]
    folder: Path
    storage: SharedStorage
    environ: Mapping[str, str]
    """Variables that hold the keys of the endpoints."""
    began: float
    """When the driver began, in Unix time."""
    money_before: float
    """What the folder had cost by then, in US dollars."""


@dataclass(frozen=True, slots=True)
class PartEnd:
    """How a part ended: the counts stand in its folder."""

    part: Partition
    host: str
    restarted: bool
    """True when Ray had to begin it anew."""
    kind: str = ""
    """The class of the error that stopped it; empty where nothing did."""
    message: str = ""
    hint: str = ""

    @classmethod
    def stopped(cls, part: Partition, stop: AideError, *, restarted: bool) -> Self:
        """The end of a part that something stopped."""
        kind = next(name for name in reversed(list(_KINDS)) if isinstance(stop, _KINDS[name]))
        return cls(part, socket.gethostname(), restarted, kind, str(stop), stop.hint)


def find_worst_stop(ends: Sequence[PartEnd], count: int) -> AideError | None:
    """What stopped the run of `count` parts as a whole, in one error; `None` where each part came to its end."""
    stopped = sorted(
        (end for end in ends if end.kind), key=lambda end: (list(_KINDS).index(end.kind), end.part)
    )
    if not stopped:
        return None
    worst = stopped[0]
    where = f"{worst.part.folder_name}: " if count > 1 else ""
    others = f" ({len(stopped)} of {count} parts stopped)" if count > 1 else ""
    return _KINDS[worst.kind](f"{where}{worst.message}{others}", hint=worst.hint)


def list_secrets(spec: RunSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the endpoints' keys, headers and queries name, as far as they are set here."""
    from aide.llm.keys import list_variables

    wanted: set[str] = set()
    apart = [spec.embeddings_endpoint] if spec.embeddings_endpoint else []
    for each in (*spec.list_endpoints(), *apart):
        wanted.add(each.api_key_env)
        for text in (*each.headers.values(), *each.query.values()):
            wanted.update(list_variables(text))
    return {name: environ[name] for name in sorted(wanted) if environ.get(name)}


def describe_end(end: PartEnd) -> dict[str, Any]:
    """The end of a part as JSON values."""
    code = _KINDS[end.kind].exit_code if end.kind else 0
    return {"host": end.host, "restarted": end.restarted, "exit_code": code, "stopped": end.message}
