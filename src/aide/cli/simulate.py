"""`aide simulate`: the stand-in endpoint over HTTP."""

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from aide.errors import InputError

if TYPE_CHECKING:
    from aide.simulator.settings import SimulatorSettings


Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any that is free.")]
Host = Annotated[str, typer.Option(help="Address to listen on. Loopback unless you say otherwise.")]
Latency = Annotated[float, typer.Option(min=0, help="Mean seconds per answer, with stragglers.")]
Slots = Annotated[
    int, typer.Option(min=0, help="Answers in the making at once, the rest queue; 0: no bound.")
]
Rpm = Annotated[int, typer.Option(min=0, help="Requests a minute before it answers 429; 0: no bound.")]
Faults = Annotated[str, typer.Option(help="Kinds and shares, such as 429:0.1,truncate:0.05.")]
Near = Annotated[float, typer.Option(min=0, max=1, help="Share of near-duplicates.")]
Repeat = Annotated[float, typer.Option(min=0, max=1, help="Share of texts that repeat another.")]
Mislabel = Annotated[float, typer.Option(min=0, max=1, help="Share of wrong labels, at random.")]
Wrong = Annotated[float, typer.Option(min=0, max=1, help="Share of first answers that are wrong.")]
Low = Annotated[float, typer.Option(min=0, max=1, help="Share graded low that a revision mends.")]
Reject = Annotated[float, typer.Option(min=0, max=1, help="Share that no revision saves.")]
AcceptAll = Annotated[bool, typer.Option("--accept-all", help="A judge that finds no fault.")]
Corpus = Annotated[
    list[str] | None,
    typer.Option(help="Take new inputs from these real examples; may be repeated.", metavar="FILE"),
]
Canned = Annotated[
    bool, typer.Option("--canned", help="Answer a repeated request from memory: for speed tests.")
]


def simulate(
    port: Port = 0,
    host: Host = "127.0.0.1",
    latency: Latency = 0.0,
    slots: Slots = 0,
    rpm: Rpm = 0,
    faults: Faults = "",
    near: Near = 0.03,
    repeat: Repeat = 0.0,
    mislabel: Mislabel = 0.0,
    wrong: Wrong = 0.05,
    low: Low = 0.15,
    reject: Reject = 0.1,
    accept_all: AcceptAll = False,
    corpus: Corpus = None,
    canned: Canned = False,
) -> None:
    """Serve a simulator as an OpenAI-compatible endpoint: no model, it plays with the words it is shown.

    Prints its base URL on one line once it is ready. Ctrl-C ends it.

    Examples:
      aide simulate --port 8000
      aide simulate --latency 0.5 --slots 64 --faults 429:0.05,truncate:0.02
      aide expand seeds.jsonl --base-url http://127.0.0.1:8000/v1
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
        slots=slots,
        rpm=rpm,
        faults=read_faults(faults),
        canned=canned,
        corpus=",".join(corpus or ()),
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
