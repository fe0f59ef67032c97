"""A `run.service.ModelService` for tests that need no endpoint: what is not said otherwise does nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from aide.llm.batches import BatchService
from aide.llm.request import KeepAnswer, ModelAnswer, ModelRequest
from aide.stop import StopSwitch


class SilentModels:
    """Endpoints that are never asked; a test overrides what it needs."""

    capacity = 8
    held = 0
    trouble = None
    in_flight = 0
    limit = 8

    def __init__(self) -> None:
        self.stop = StopSwitch()
        self.noted: list[str] = []
        """Models of which an answer should have been structured and was not."""

    def on_hold(self, listener: Callable[[], None]) -> None:
        pass

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        raise AssertionError(f"nobody expected the step {request.step}")

    def note_invalid(self, model: str, endpoint: str, rung: str, shapeless: bool) -> None:
        self.noted.append(model)

    def count_thinking(self, model: str) -> int:
        return 0

    def capabilities(self) -> Mapping[str, Any]:
        return {}

    def restore(self, capabilities: Mapping[str, Any]) -> None:
        pass

    def open_batches(self, where: str = "") -> BatchService | None:
        return None

    def stats(self) -> Mapping[str, Any]:
        return {}

    async def close(self) -> None:
        pass
