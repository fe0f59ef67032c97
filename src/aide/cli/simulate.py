"""`aide simulate`: the simulated endpoint over HTTP."""

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from aide.errors import InputError

if TYPE_CHECKING:
    from aide.simulator.settings import SimulatorSettings


Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0: any free one.")]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")]
Latency = Annotated[
    float, typer.Option(min=0, metavar="S", help="Mean seconds per answer; some take longer.")
]
BatchLatency = Annotated[float, typer.Option(min=0, metavar="S", help="Seconds until a batch is done.")]
Slots = Annotated[int, typer.Option(min=0, metavar="N", help="Answers at a time, others wait; 0: no limit.")]
Faults = Annotated[
    str, typer.Option(metavar="LIST", help="Faults and their shares, such as 429:0.1,truncate:0.05.")
]
Near = Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of near-duplicates.")]
Repeat = Annotated[
    float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of texts that repeat another.")
]
Mislabel = Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of wrong labels.")]
Wrong = Annotated[
    float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of first answers that are wrong.")
]
Low = Annotated[
    float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of drafts that a revision saves.")
]
Reject = Annotated[
    float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of drafts that no revision saves.")
]
AcceptAll = Annotated[bool, typer.Option("--accept-all", help="Let the judge accept everything.")]
Canned = Annotated[
    bool, typer.Option("--canned", help="Answer repeated requests from memory, for speed tests.")
]


def simulate(
    port: Port = 0,
    host: Host = "127.0.0.1",
    latency: Latency = 0.0,
    batch_latency: BatchLatency = 0.0,
    slots: Slots = 0,
    faults: Faults = "",
    near: Near = 0.03,
    repeat: Repeat = 0.0,
    mislabel: Mislabel = 0.0,
    wrong: Wrong = 0.05,
    low: Low = 0.15,
    reject: Reject = 0.1,
    accept_all: AcceptAll = False,
    canned: Canned = False,
) -> None:
    """Serve the simulator as an OpenAI-compatible endpoint. It is no model: it fills in what is asked.

    When it is ready, it prints its base URL on one line. Ctrl-C ends it.
    """
    from aide.simulator.settings import SimulatorSettings, read_faults

    settings = SimulatorSettings(
        near=near,
        repeat=repeat,
        mislabel=mislabel,
        wrong=wrong,
        low=low,
        reject=reject,
        accept_all=accept_all,
        latency=latency,
        batch_latency=batch_latency,
        slots=slots,
        faults=read_faults(faults),
        canned=canned,
    )
    try:
        asyncio.run(_serve(settings, host, port))
    except OSError as fault:
        raise InputError(
            f"can't listen on {host}:{port}: {fault.strerror or fault}", hint="try --port 0"
        ) from None


async def _serve(settings: "SimulatorSettings", host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    from aide.simulator.server import serve
    from aide.simulator.service import Simulator

    def ready(taken: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"http://{shown}:{taken}/v1")

    task = asyncio.ensure_future(serve(Simulator(settings), host, port, ready=ready))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
