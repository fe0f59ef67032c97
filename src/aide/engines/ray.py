"""The engine that runs a job in parts on a Ray cluster: an actor a part, placed, restarted and logged by Ray.

The driver makes the card and the precheck, gives each part its share of the caps, adds up what the parts write about
themselves, and hands a stop on. Parts know nothing of each other; `aide merge` makes one run of their folders.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final

from aide.config.partition import Partition, Spent, divide_caps
from aide.config.spec import RunSpec
from aide.engines.base import Job
from aide.engines.local import LocalEngine
from aide.engines.part_actor import PartActor, find_node_problem, sum_cost
from aide.engines.part_job import (
    PartEnd,
    PartJob,
    SharedStorage,
    describe_end,
    find_worst_stop,
    list_secrets,
    share_token,
)
from aide.errors import AideError, InputError
from aide.run.finished import read_finished
from aide.run.folder import RunFolder, resume_spec
from aide.run.parts import enter_part, list_parts
from aide.run.parts_progress import read_root_progress
from aide.run.progress import Progress
from aide.run.service import SYSTEM_CLOCK
from aide.shards import FolderLock
from aide.stop import StopSwitch
from aide.text.figures import format_plural

TICK: Final = 0.5  # seconds between two looks at the parts
WAIT: Final = 20.0  # seconds after which it is told that parts wait for a place
RESTARTS: Final = 16
"""How often Ray may begin a part anew in one run: machines are lost, and a part that dies at once must end."""
FREED: Final = 60.0
"""Least seconds to wait for a part's folder: an actor whose driver was killed may hold it for a moment."""
GRACE: Final = 10.0
"""Seconds after the time for draining in which parts may write what they have."""
LISTENING: Final = 10.0  # seconds for a cluster to accept a connection
OBJECTS: Final = 100_000_000
"""Bytes of Ray's store of objects where Ray is started here: parts exchange none."""


def require_ray() -> None:
    """Refuse where Ray is not installed.

    Raises:
        InputError: with the command that installs it.
    """
    found = find_spec("ray")
    if found is None or found.origin is None:  # a folder of this name is no Ray
        raise InputError(
            "--engine ray needs Ray, which is not installed", hint="pip install 'aide-expand[ray]'"
        )


class RayEngine:
    """Runs a job in parts on a cluster: an `engines.base.Engine`."""

    def __init__(self, job: Job) -> None:
        """Raises `InputError` where Ray is not installed."""
        require_ray()
        self._job = job
        self._spec = job.request.spec
        self._root = job.request.folder
        # The card is made here, in the folder of the whole; one switch stops whatever is going on.
        alone = self._spec.model_copy(update={"card_only": True})
        self._card = LocalEngine(replace(job, request=replace(job.request, spec=alone), emit=None))
        self._actors: dict[Partition, Any] = {}
        self._growing = False

    @property
    def stop(self) -> StopSwitch:
        """See `Engine`."""
        return self._card.stop

    @property
    def growing(self) -> bool:
        """See `Engine`."""
        return self._growing

    def read_totals(self) -> dict[str, Any]:
        """See `Engine`: the counts of all parts together."""
        return read_root_progress(self._root)

    @property
    def _target(self) -> int | None:
        return self._spec.compute_target(len(self._job.source.read_again().seeds))

    async def run(self) -> dict[str, Any]:
        """See `Engine`."""
        if self._spec.card_only:
            return await self._card.run()
        with redirect_stdout(sys.stderr):  # Ray says there what it does; stdout is for data
            ray = await asyncio.to_thread(_connect, self._spec)
            _hear_sigterm_again()
            try:
                return await self._run_on(ray)
            finally:
                await asyncio.to_thread(ray.shutdown)

    async def _run_on(self, ray: Any) -> dict[str, Any]:
        self.stop.raise_if_requested()
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        count, why = choose_count(self._spec, self._root, [node["Resources"]["CPU"] for node in nodes])
        self._job.observer.tell(f"{format_plural(count, 'part')}: {why}", "parts", parts=count, why=why)
        divide_caps(self._spec, Partition(0, count), Spent())  # a pace that can't be divided is refused here
        self._root.create()
        with share_token(self._root.path) as storage:
            await self._check_nodes(ray, nodes, storage)
        await self._card.run()
        with ExitStack() as held:
            held.enter_context(FolderLock(self._root.path))
            storage = held.enter_context(share_token(self._root.path))
            jobs = self._make_jobs(count, storage)
            self._growing = True
            ends = await self._grow(ray, jobs)
        return self._conclude(count, ends)

    async def _check_nodes(
        self, ray: Any, nodes: Sequence[Mapping[str, Any]], storage: SharedStorage
    ) -> None:
        """Refuse nodes that don't see the folder, or have another version, before anything is paid for."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asked = []
        for node in nodes:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            look = ray.remote(find_node_problem).options(num_cpus=0, scheduling_strategy=there)
            asked.append(asyncio.wrap_future(look.remote(storage).future()))
        with self.stop.waiting():
            if asked:
                await asyncio.wait(asked)
        faults = [one for one in (look.exception() for look in asked) if one is not None]
        problems = [str(fault).strip().splitlines()[-1] for fault in faults]
        problems += [said for look in asked if look.exception() is None and (said := look.result())]
        if problems:
            raise InputError(
                f"{len(problems)} of {format_plural(len(nodes), 'node')} can run no part: {problems[0]}",
                hint="each needs this version of aide, and the run folder and the seeds on storage that all see",
            )

    def _make_jobs(self, count: int, storage: SharedStorage) -> list[PartJob]:
        """The parts that have something to do, each with its share of what the card has left of the caps."""
        request, jobs = self._job.request, []
        secrets = list_secrets(self._spec, os.environ)
        for index in range(count):
            part = Partition(index, count)
            spec, folder = enter_own_part(self._spec, request.origins, self._root, part)
            if read_finished(folder, spec, request.seed_files) is not None:
                continue
            spec = spec.model_copy(update={"lock_wait": max(spec.lock_wait, FREED)})
            jobs.append(
                PartJob(
                    part, spec, request.origins, request.seed_files, folder.path, storage, secrets,
                    SYSTEM_CLOCK.now(), sum_cost(folder),
                )
            )  # fmt: skip
        return jobs

    async def _grow(self, ray: Any, jobs: Sequence[PartJob]) -> list[PartEnd]:
        """An actor a part, until all have ended; a stop ends them in its time."""
        actor = ray.remote(PartActor).options(
            num_cpus=1, max_restarts=RESTARTS, max_task_retries=RESTARTS, scheduling_strategy="SPREAD"
        )
        self._actors = {job.part: actor.remote(job) for job in jobs}
        places = [asyncio.ensure_future(_await(each.locate.remote())) for each in self._actors.values()]
        runs = [asyncio.create_task(self._run_part(ray, job.part)) for job in jobs]
        ticker = asyncio.create_task(self._tick(places))
        try:
            self.stop.on_request(lambda: self._drain(self._spec.drain_seconds))
            try:
                with self.stop.on_the_wire():
                    if runs:
                        await asyncio.wait(runs)
            except AideError as stop:
                if stop is not self.stop.reason:
                    raise
                self._drain(0.0)
                await asyncio.wait(runs, timeout=GRACE)
            self.stop.raise_if_requested()
            return [run.result() for run in runs]
        finally:
            for task in (ticker, *runs, *places):
                task.cancel()
            await asyncio.wait([ticker, *runs])

    async def _run_part(self, ray: Any, part: Partition) -> PartEnd:
        """One part to its end; its actor is let go of then, so that Ray can place another."""
        actor = self._actors[part]
        try:
            end: PartEnd = await _await(actor.run.remote())
        except ray.exceptions.RayActorError as fault:
            said = str(fault).strip().splitlines()[0]
            lost = AideError(
                f"Ray began it anew {RESTARTS} times, and its process died again: {said}",
                hint="Ray's logs have its last words; run the same command again to go on",
            )
            return PartEnd.stopped(part, lost, restarted=True)
        finally:
            self._actors.pop(part, None)
        if end.restarted:
            self._job.observer.tell(
                f"{part.folder_name} lost its process and went on in another; no answer was paid for twice but those "
                "under way", "restarted", part=part.folder_name, host=end.host,
            )  # fmt: skip
        return end

    def _drain(self, seconds: float) -> None:
        for actor in self._actors.values():
            actor.drain.remote(seconds)

    async def _tick(self, places: "Sequence[asyncio.Future[str]]") -> None:
        """Show the counts of all parts, and once that some of them wait for a place."""
        observer = self._job.observer
        progress = Progress(target=self._target)
        progress.take_over(read_root_progress(self._root))
        progress.accepted_before = progress.accepted
        began = SYSTEM_CLOCK.monotonic()
        told = False
        while True:
            await asyncio.sleep(TICK)
            progress.take_over(await asyncio.to_thread(read_root_progress, self._root))
            progress.seconds = SYSTEM_CLOCK.monotonic() - began
            progress.pace.note(progress.seconds, progress.accepted - progress.accepted_before)
            observer.on_trouble(progress.trouble)
            observer.on_progress(progress)
            waiting = sum(not place.done() for place in places)
            if waiting and not told and progress.seconds >= WAIT:
                told = True
                observer.tell(
                    f"{waiting} of {format_plural(len(places), 'part')} wait until Ray has a CPU for them",
                    "waiting", parts=waiting,
                )  # fmt: skip

    def _conclude(self, count: int, ends: Sequence[PartEnd]) -> dict[str, Any]:
        """The summary of the whole; raises what stopped it, where anything did."""
        worst = find_worst_stop(ends, count)
        if worst is not None:
            raise worst
        told = {end.part.folder_name: describe_end(end) for end in ends}
        return {**summarise_parts(self._root), "parts": told}


def summarise_parts(root: RunFolder) -> dict[str, Any]:
    """The counts of all parts and the exit code of the whole, as the summary of a run has them."""
    told = read_root_progress(root) or Progress().as_dict()
    target, accepted = told["target"], told["accepted"]
    short = target is not None and accepted < target
    return {**told, "exit_code": 6 if short or (accepted == 0 and target != 0) else 0, "stopped": ""}


def enter_own_part(
    spec: RunSpec, origins: Mapping[str, str], root: RunFolder, part: Partition
) -> tuple[RunSpec, RunFolder]:
    """The settings of one part, as `aide expand --partition` would have them, and its folder."""
    folder = RunFolder(root.path / part.folder_name)
    # The card of --card stands in the root by now, with its precheck.
    own = spec.model_copy(update={"partition": str(part), "card_only": False, "card": None})
    return enter_part(resume_spec(folder, own, origins), folder), folder


def choose_count(spec: RunSpec, root: RunFolder, cpus: Sequence[float]) -> tuple[int, str]:
    """How many parts, and why; `cpus` are those of each node.

    Raises:
        InputError: the folder has another number of parts than is asked for, or there is no node to count.
    """
    held = next((part.count for part in list_parts(root.path)), None)
    if held is not None and spec.parts not in (None, held):
        raise InputError(
            f"{root.path} has {format_plural(held, 'part')}, and --parts asks for {spec.parts}",
            hint="leave --parts out, or name another folder with -o DIR",
        )
    if held is not None:
        return held, "as the folder has them"
    if spec.parts is not None:
        return spec.parts, "--parts"
    if not cpus:
        raise InputError("the Ray cluster has no node with a CPU", hint="say how many parts with --parts N")
    if len(cpus) > 1:
        return len(cpus), f"one for each of {len(cpus)} nodes (--parts says otherwise)"
    return int(cpus[0]), f"one for each of {int(cpus[0])} CPUs (--parts says otherwise)"


def _connect(spec: RunSpec) -> Any:
    """Ray, with a cluster behind it: the one that is named, or one that is started here and ends with the run.

    Raises:
        InputError: the cluster can't be reached, or has other versions of Python or Ray.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    address = spec.ray_address or os.environ.get("RAY_ADDRESS") or "local"
    here: dict[str, Any] = {}
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if address == "local":
        here = {"include_dashboard": False, "object_store_memory": OBJECTS}
        if spec.parts is not None:
            here["num_cpus"] = max(spec.parts, os.cpu_count() or 1)
    try:
        if colon and port.isdecimal():  # where nobody listens, Ray waits for ever
            socket.create_connection((host, int(port)), timeout=LISTENING).close()
        ray.init(address=address, log_to_driver=False, logging_level="error", **here)
    except (OSError, RuntimeError, ValueError) as fault:
        said = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise InputError(
            f"Ray can't be reached at {address}: {said}",
            hint="is it the address that `ray start` printed, and RAY_AUTH_MODE that of the cluster? Without an "
            "address Ray is started here",
        ) from fault
    return ray


def _hear_sigterm_again() -> None:
    """Undo that Ray takes SIGTERM for a crash: it would print a trace, and end the process while its parts drain."""
    heard = signal.getsignal(signal.SIGTERM)
    if heard is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, heard)
        signal.siginterrupt(signal.SIGTERM, False)  # as event loops have it


async def _await(reference: Any) -> Any:
    """What a task of Ray returns."""
    return await asyncio.wrap_future(reference.future())
