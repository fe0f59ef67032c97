"""`ask` as a run has it, over the fake endpoint: short prompts, a journal in a folder, retries that do not wait."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from aide.config.spec import RunSpec
from aide.journal import AnsweredCall, Journal
from aide.llm.pool import EndpointPool
from aide.llm.request import Endpoint, KeepAnswer, ModelAnswer, ModelRequest
from aide.llm.retry import with_retries
from aide.parsing import ModelPayload, ReplyModel, TextPayload
from aide.prompts import Prompts
from aide.records import Usage
from aide.run.budget import Budget
from aide.run.calls import ModelCalls, NodeAsk
from endpoints.fake import FakeEndpoint
from models import SilentModels

TEXT = TextPayload("text")


class Count(ReplyModel):
    """A shape to ask for."""

    count: int


COUNT = ModelPayload("count", Count, lambda found: found.count)


def pool_of(
    *fakes: FakeEndpoint, timeout: float = 60.0, clock: Callable[[], float] | None = None, **more: Any
) -> EndpointPool:
    """The fakes as the endpoints of one run."""
    names = [f"e{number}" for number, _ in enumerate(fakes)]
    return EndpointPool(
        [Endpoint(name, f"http://{name}/v1") for name in names],
        ceiling=more.pop("ceiling", 8),
        timeout=timeout,
        patience=300.0,
        model="m",
        transport={name: fake.transport() for name, fake in zip(names, fakes, strict=True)},
        clock=clock or time.monotonic,
    )


class Scene(SilentModels):
    """One run's `ask` over a pool.

    `waits` are the seconds that would have passed between attempts, `paid` the answers in the journal at the end.
    """

    def __init__(self, folder: Path, pool: EndpointPool, **spec: Any) -> None:
        super().__init__()
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        (folder / "prompts" / "extract.md").write_text("# system\nYou count.\n# user\n{{ about }}\n")
        self.pool = pool
        self.stop = pool.stop
        self.waits: list[float] = []
        self.paid: Sequence[AnsweredCall] = []
        self.journal = Journal.open(folder / "journal.sqlite", pace=0.0)
        self.spec = RunSpec(base_url=("http://e0/v1",), model="m", **spec)
        self.budget = Budget(self.spec, Usage(), 0.0, clock=lambda: 0.0)
        self.calls = ModelCalls(
            self.spec,
            self.journal,
            self.budget,
            self,
            now=lambda: 1.0,
        )
        self._prompts = Prompts(folder / "prompts")

    def note_invalid(self, model: str, endpoint: str, rung: str, shapeless: bool) -> None:
        self.pool.note_invalid(model, endpoint=endpoint, rung=rung, shapeless=shapeless)

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        return await with_retries(
            lambda: self.pool.complete(request, rank=rank, keep=keep),
            health=self.pool.health,
            rng=random.Random(1),
            sleep=self._wait,
            hold=lambda refusal: self.pool.hold(refusal, request),
        )

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def ask(self, about: str = "apples", payload: Any = TEXT, **more: Any) -> Any:
        """One question of one node; room for 50 tokens."""
        return await self.ask_for(about)("extract", payload, max_output=50, about=about, **more)

    def ask_for(self, node: str) -> NodeAsk:
        """An `Ask` booked on a node."""
        return NodeAsk(self.calls, self._prompts, node)

    @property
    def failed(self) -> dict[str, int]:
        """Failed attempts by kind, over all endpoints."""
        found: dict[str, int] = {}
        for told in self.pool.collect_stats().values():
            for kind, count in told["errors"].items():
                found[kind] = found.get(kind, 0) + count
        return found


def play(
    folder: Path, fake: FakeEndpoint | EndpointPool, part: Callable[[Scene], Awaitable[Any]], **spec: Any
) -> Scene:
    """Play a part over a scene; its journal is closed at the end."""

    async def whole() -> Scene:
        scene = Scene(folder, fake if isinstance(fake, EndpointPool) else pool_of(fake), **spec)
        try:
            await part(scene)
        finally:
            scene.paid = list(scene.journal.read_calls())
            scene.journal.close()
            await scene.pool.close()
        return scene

    return asyncio.run(whole())
