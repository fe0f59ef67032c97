"""One use of one folder: whoever asks a model does it inside a session.

A session owns the folder, its lock, the journal, and the calls with their budget, and takes them in that order: what
is fixed once, such as the seeds, is read while nobody else can write the folder. It gives them back in the reverse
order, with everything written.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aide.config.spec import RunSpec
from aide.crash_points import hit
from aide.errors import EndpointUnusable, FolderHeld, InputError
from aide.journal import Journal
from aide.prompts import Prompts
from aide.records import Embed, Usage
from aide.run.budget import Budget
from aide.run.calls import ModelCalls, NodeAsk
from aide.run.embeddings import Embeddings
from aide.run.folder import RunFolder, list_earlier_extras
from aide.run.folder_inputs import fit_to_folder
from aide.run.inputs import PreparedInputs, SeedSource
from aide.run.preview import open_previews
from aide.run.service import SYSTEM_CLOCK, Clock, ModelService
from aide.run.wave_register import WaveRegister
from aide.run.waves import CAPACITY, WaveGatherer
from aide.sandbox.isolation import Sandbox
from aide.shards import POLL_SECONDS, FolderLock
from aide.stop import StopSwitch


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person asked for."""

    spec: RunSpec
    origins: Mapping[str, str]
    """Where the value of each setting came from, by its name."""
    seed_files: tuple[str, ...]
    """As they were named; `-` is standard input."""
    folder: RunFolder
    previews: tuple[Path, ...] = ()
    """Journals of previews, whose answers to identical calls are taken over."""


@dataclass(frozen=True, slots=True)
class Session:
    """What an open session hands on. Nothing in it is replaced while it is open."""

    request: RunRequest
    inputs: PreparedInputs | None
    """Seeds and task, read under the lock; `None` for work that needs no seeds."""
    journal: Journal
    calls: ModelCalls
    prompts: Prompts
    sandbox: Sandbox | None
    """Where code of a model may run; `None` where none is to be run."""
    models: ModelService
    clock: Clock
    waves: WaveRegister | None = None
    """The folder's batches; `None` where there are none and none are wanted."""

    @property
    def capacity(self) -> int:
        """Most calls that may be out at once, or be gathered."""
        return CAPACITY if self.spec.batch else self.models.capacity

    @property
    def spec(self) -> RunSpec:
        """The settings."""
        return self.request.spec

    @property
    def folder(self) -> RunFolder:
        """The folder that this session holds."""
        return self.request.folder

    @property
    def stop(self) -> StopSwitch:
        """The scope of the session: all its calls end with it."""
        return self.models.stop

    @property
    def budget(self) -> Budget:
        """What was spent over all invocations, and the caps on it."""
        return self.calls.budget

    def ask_for(self, node: str, prompts: Prompts | None = None) -> NodeAsk:
        """An `Ask` whose calls are counted on `node`."""
        return NodeAsk(self.calls, prompts or self.prompts, node)

    @property
    def embeddings(self) -> Embeddings:
        """The embedding model of the run."""
        return Embeddings(self.calls, self.spec.embeddings)

    def embed_for(self, node: str) -> Embed:
        """An `Embed` whose calls are counted on `node`."""

        async def embed(texts: Sequence[str]) -> list[list[float]]:
            return await self.embeddings.embed_all(texts, node)

        return embed


@asynccontextmanager
async def open_session(
    request: RunRequest,
    models: ModelService,
    *,
    source: SeedSource | None = None,
    admit: Callable[[PreparedInputs | None], None] = lambda inputs: None,
    clock: Clock = SYSTEM_CLOCK,
    held_hint: str = "",
    gather: bool = False,
) -> AsyncIterator[Session]:
    """A session over `request.folder`, which is made where there is none.

    `source` is where the seeds come from; they are read again where they changed since they were first read. `admit`
    may refuse the folder, under the lock and before the journal is opened. `held_hint` says what a person can do where
    another process holds the folder. With `gather` calls go out in batches where the spec wants them.

    Raises:
        errors.InputError: the folder can't be written, or a seed file can't be read.
        errors.FolderHeld: another process holds the folder, for longer than `--lock-wait`.
        errors.AideError: the session was told to stop while it waited for the lock.
    """
    stop = models.stop
    request.folder.create()
    lock = FolderLock(request.folder.path)
    await _take(lock, request.spec.lock_wait, clock, stop, held_hint)
    with ExitStack() as held:
        held.callback(lock.release)
        hit("after_lock")
        request.folder.clear_scratch()
        inputs = source.read_again() if source else None
        before = request.folder.read_manifest()
        admit(inputs)
        sandbox = _find_sandbox(request.spec, inputs, held)
        journal, reuse = _open_journals(request, held)
        if inputs is not None:
            inputs = _fit(inputs, journal, request, before)
        journal.on_fault(stop.request)  # before anybody who waits for a commit could begin another call
        models.restore(journal.get_meta("capabilities") or {})
        budget = Budget(request.spec, *_read_spent(journal), clock=clock.monotonic)
        gather = gather and bool(request.spec.batch)
        register = await _open_waves(journal, budget, models, clock, gather=gather)
        waves = None
        if register is not None:
            waves = _open_gatherer(request.spec, register, budget, models, stop, sandbox, gather=gather)
        calls = ModelCalls(
            request.spec, journal, budget, models, now=clock.now, reuse=reuse, waves=waves,
            earlier=list_earlier_extras(request.folder, request.spec),
        )  # fmt: skip
        calls.made = register.collected if register else 0
        prompts = Prompts(request.spec.prompts)
        session = Session(request, inputs, journal, calls, prompts, sandbox, models, clock, register)
        try:
            yield session
        finally:
            await journal.flush()
            journal.set_meta("capabilities", dict(models.capabilities()))


def _fit(
    inputs: PreparedInputs, journal: Journal, request: RunRequest, before: Mapping[str, Any]
) -> PreparedInputs:
    """See `fit_to_folder`; where it refuses, the run of the folder stays as it was, by the manifest of `before`."""
    try:
        return fit_to_folder(inputs, journal, request.spec)
    except InputError:
        if before:
            request.folder.write_manifest(before)
        raise


async def _open_waves(
    journal: Journal, budget: Budget, models: ModelService, clock: Clock, *, gather: bool
) -> WaveRegister | None:
    """The waves of the folder, with what came back of them taken in; `None` where there are none and none are wanted.

    Also a session that gathers none waits for what an earlier one has pending, since that is paid for.
    """
    if not gather and all(wave.state == "ended" for wave in journal.waves.read()):
        return None
    register = WaveRegister(journal, budget, models, clock)
    await register.collect()
    return register


def _open_gatherer(
    spec: RunSpec,
    register: WaveRegister,
    budget: Budget,
    models: ModelService,
    stop: StopSwitch,
    sandbox: Sandbox | None,
    *,
    gather: bool,
) -> WaveGatherer:
    """Raises `EndpointUnusable` where batches are wanted and the last one was refused as a whole."""
    if gather and register.failure:
        raise EndpointUnusable(f"a batch was refused: {register.failure}", hint="go on without --batch")
    return WaveGatherer(
        register, budget, stop, service=models.open_batches() if gather else None, least=spec.batch_min,
        online=bool(spec.list_endpoints()), count_running=lambda: sandbox.running if sandbox else 0,
    )  # fmt: skip


async def _take(lock: FolderLock, seconds: float, clock: Clock, stop: StopSwitch, hint: str) -> None:
    """Take the lock, waiting for it so long, open to a stop meanwhile."""
    until = clock.monotonic() + seconds
    while True:
        try:
            return lock.acquire()
        except FolderHeld as held:
            if clock.monotonic() >= until:
                raise (FolderHeld(str(held), hint=hint) if hint else held) from None
        await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - clock.monotonic())))
        stop.raise_if_requested()


def _find_sandbox(spec: RunSpec, inputs: PreparedInputs | None, held: ExitStack) -> Sandbox | None:
    if inputs is None or not spec.run_code or not inputs.format.runs_tests:
        return None
    sandbox = Sandbox.find()
    held.callback(sandbox.close)
    return sandbox


def _open_journals(request: RunRequest, held: ExitStack) -> tuple[Journal, list[Journal]]:
    """The session's own journal, and those whose answers it may take over."""
    journal = Journal.open(request.folder.journal)
    held.callback(journal.close)
    others = open_previews(request.previews)
    if request.spec.reuse is not None:
        others.insert(0, Journal.open(RunFolder(request.spec.reuse).journal, readonly=True))
    for other in others:
        held.callback(other.close)
    return journal, others


def _read_spent(journal: Journal) -> tuple[Usage, float | None]:
    """Tokens and US dollars of all invocations; the money is `None` where any of it is unknown."""
    rows = journal.sum_usage()
    costs = [cost for *_, cost in rows if cost is not None]
    return sum((usage for _, _, usage, _ in rows), Usage()), sum(costs) if len(costs) == len(rows) else None
