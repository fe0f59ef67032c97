"""A part of a run on whatever machine it is given: what Ray makes an actor of, and makes anew when its process dies."""

import gc
import logging
import os
import socket
from collections.abc import Sequence
from typing import Any

from aide.config.spec import RunSpec
from aide.engines.base import Job
from aide.engines.local import LocalEngine
from aide.engines.part_job import PartEnd, PartJob, SharedStorage
from aide.errors import AideError, InputError, Interrupted
from aide.formats import TaskCard
from aide.journal import Journal
from aide.judging.precheck import Precheck
from aide.llm.health import Trouble
from aide.run.folder import RunFolder
from aide.run.inputs import SeedSource
from aide.run.progress import Progress
from aide.run.service import SYSTEM_CLOCK
from aide.run.session import RunRequest

_logger = logging.getLogger("aide")


def find_node_problem(storage: SharedStorage) -> str:
    """Why the machine on which this is called can run no part; empty where it can."""
    return storage.find_problem()


class PartActor:
    """Runs one part to its end. All methods run on one event loop, so that a stop is heard while it runs."""

    def __init__(self, job: PartJob) -> None:
        self._job = job
        self._engine: LocalEngine | None = None
        self._drain: float | None = None
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(message)s"
        )  # Ray keeps what goes to stderr

    async def locate(self) -> str:
        """The machine; answered once Ray has found one."""
        return socket.gethostname()

    async def drain(self, seconds: float) -> None:
        """Stop as a run that is interrupted: nothing new is asked, and what is on the wire has so many seconds."""
        self._drain = seconds
        if self._engine is not None:
            reason = Interrupted("interrupted; every answer that came is written")
            self._engine.stop.request(reason, seconds=seconds)

    async def run(self) -> PartEnd:
        """Run the part, or go on where an earlier process of it ended."""
        job, again = self._job, _is_restarted()
        try:
            if problem := job.storage.find_problem():
                raise InputError(
                    problem, hint="put the run folder and the seeds on storage that all nodes see"
                )
            os.environ.update(job.environ)
            _logger.info("%s begins%s", job.part.folder_name, " again" if again else "")
            folder = RunFolder(job.folder)
            spec = leave_rest(job, folder) if again else job.spec
            await self._run(spec, folder)
        except AideError as stop:
            _logger.info("%s stopped: %s", job.part.folder_name, stop)
            return PartEnd.stopped(job.part, stop, restarted=again)
        _logger.info("%s is done", job.part.folder_name)
        return PartEnd(job.part, socket.gethostname(), again)

    async def _run(self, spec: RunSpec, folder: RunFolder) -> None:
        gc.set_threshold(20_000, 20, 20)  # as in a run of its own process
        job = self._job
        request = RunRequest(spec, job.origins, job.seed_files, folder)
        self._engine = LocalEngine(Job(request, SeedSource(spec, job.seed_files), _PartLog()))
        if self._drain is not None:
            await self.drain(self._drain)
        await self._engine.run()


def leave_rest(job: PartJob, folder: RunFolder) -> RunSpec:
    """The settings of a part that begins again in one run: what it had spent counts towards the caps of a run."""
    spec, caps = job.spec, dict[str, Any]()
    if spec.max_minutes is not None:
        caps["max_minutes"] = max(0.0, spec.max_minutes - (SYSTEM_CLOCK.now() - job.began) / 60)
    if spec.max_cost_per_run is not None:
        caps["max_cost_per_run"] = max(0.0, spec.max_cost_per_run - sum_cost(folder) + job.money_before)
    return spec.model_copy(update=caps)


def sum_cost(folder: RunFolder) -> float:
    """What the answers in a folder have cost, as far as their prices are known."""
    if not folder.journal.exists():
        return 0.0
    with Journal.open(folder.journal, readonly=True) as journal:
        return sum(cost for *_, cost in journal.sum_usage() if cost is not None)


def _is_restarted() -> bool:
    try:
        import ray
    except ImportError:
        return False
    return ray.is_initialized() and bool(ray.get_runtime_context().was_current_actor_reconstructed)


class _PartLog:
    """What a part says goes to the log of its process; its counts stand in its folder."""

    def __init__(self) -> None:
        self._trouble = ""

    def tell(self, line: str, event: str = "note", **facts: Any) -> None:
        _logger.info(line)

    def on_card(self, card: TaskCard, traits: Sequence[tuple[str, str]]) -> None:
        """The driver has shown it."""

    def on_precheck(self, precheck: Precheck) -> None:
        """The driver has shown it."""

    def on_trouble(self, trouble: Trouble | None) -> None:
        reason = trouble.reason if trouble else ""
        if bool(reason) != bool(self._trouble):
            _logger.info("no answer: %s" if reason else "the endpoint answers again%s", reason)
        self._trouble = reason

    def on_progress(self, progress: Progress) -> None:
        """It stands in `progress.json`."""
