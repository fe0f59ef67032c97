"""The batches of a run folder from outside a run: looked at, waited for, ended."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aide.errors import CallError, FolderHeld
from aide.journal import Journal, Wave
from aide.run.folder import RunFolder
from aide.run.service import SYSTEM_CLOCK, Clock, ModelService
from aide.run.session import RunRequest, open_session
from aide.run.wave_register import YOUNG

# Seconds between two looks at a batch. The first answers of a small one come within minutes; most take hours.
FIRST: Final = 1.0
LONGEST: Final = 60.0
# Seconds in which a cancelled batch mostly comes to rest. One that takes longer is taken in by the next run.
REST: Final = 10.0


def read_waves(folder: RunFolder) -> list[Wave]:
    """All waves of a folder, also while a run goes on; none where its file system lets nobody else read."""
    if not folder.journal.exists():
        return []
    try:
        with Journal.open(folder.journal, readonly=True) as journal:
            return journal.waves.read()
    except FolderHeld:
        return []


async def wait_for_batches(folder: RunFolder, models: ModelService, seconds: float, clock: Clock) -> bool:
    """True once there is something to go on with; false where so many seconds passed without.

    The folder is not held: others may read it, or go on in it, meanwhile.
    """
    waves = [wave for wave in read_waves(folder) if wave.state != "ended"]
    until, pause = clock.monotonic() + seconds, FIRST
    while True:
        for wave in waves:
            service = models.open_batches(wave.where)
            if service is None or not wave.batch:
                return True
            try:
                state = await service.look(wave.batch)
            except CallError:  # unreachable now; another look will tell
                continue
            # One that is not known yet may be too young to be: a new session would only find the same.
            if state.final if state is not None else clock.now() - wave.submitted > YOUNG:
                return True
        if clock.monotonic() >= until:
            return False
        await asyncio.sleep(min(pause, until - clock.monotonic()))
        pause = min(1.5 * pause, LONGEST)


async def cancel_batches(
    request: RunRequest, models: ModelService, clock: Clock = SYSTEM_CLOCK
) -> Sequence[Wave]:
    """End all pending batches; what was answered by then is kept. Returns the waves that were pending.

    Raises:
        errors.FolderHeld: a run goes on in the folder.
        errors.EndpointUnusable: a service can't be reached.
    """
    async with open_session(request, models, clock=clock) as session:
        if session.waves is None:
            return []
        pending = list(session.waves.open)
        await session.waves.cancel()
        until = clock.monotonic() + REST
        while session.waves.open and clock.monotonic() < until:
            await asyncio.sleep(FIRST)
            await session.waves.look_again()
        return [wave for wave in session.journal.waves.read() if wave.id in pending]


def summarise_batches(journal: Journal) -> dict[str, Any]:
    """What was asked and answered in batches; nothing where there were none."""
    waves = journal.waves.read()
    pending = sum(wave.calls for wave in waves if wave.state != "ended")
    answered = sum(wave.answered for wave in waves)
    return {"batches": {"waves": len(waves), "answered": answered, "pending": pending}} if waves else {}
