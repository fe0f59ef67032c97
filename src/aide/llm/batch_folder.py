"""Batches of a folder: JSON lines that a person has `vllm run-batch` answer."""

import os
import shlex
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from aide.config.spec import BATCH_FILES
from aide.errors import InputError
from aide.jsonl import parse_json
from aide.llm.batches import BatchLine, BatchState, name_file, parse_line
from aide.llm.profile import EndpointProfile
from aide.llm.request import ChatRequest

# Seconds after which a file that nobody writes to any more holds all that will come.
SETTLED: Final = 30.0


class BatchFolder:
    """A folder in which waves lie as files, and their answers once somebody has had them made."""

    def __init__(
        self, folder: Path, profile: Callable[[str], EndpointProfile | None], now: Callable[[], float]
    ) -> None:
        """`profile` gives what was learned of a model, `None` where the folder is all there is; `now` Unix seconds."""
        self.where = f"{BATCH_FILES}{folder}"
        self.endpoint = self.where
        self._folder = folder
        self._profile = profile
        self._now = now

    def prepare(self, request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """See `BatchService`."""
        profile = self._profile(request.model)
        if profile is not None and not profile.covers(request):
            return None
        return (profile or EndpointProfile()).build_body(request, request.model)

    async def submit(self, wave: str, model: str, lines: Sequence[bytes]) -> str:
        """See `BatchService`. The name of a wave is that of its file."""
        path = self._folder / name_file(wave)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            scratch = path.with_suffix(".tmp")
            with scratch.open("wb") as stream:
                stream.write(b"\n".join(lines) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(path)
        except OSError as error:
            raise InputError(
                f"{path} can't be written: {error.strerror}", hint="name another folder"
            ) from error
        return path.name

    def describe_command(self, wave: str, model: str) -> str:
        """What has the wave answered."""
        given = self._folder / name_file(wave)
        return shlex.join(
            ["vllm", "run-batch", "-i", str(given), "-o", str(self._answers(given.name)), "--model", model]
        )

    def _answers(self, batch: str) -> Path:
        return self._folder / f"{Path(batch).stem}.out.jsonl"

    async def find(self, wave: str, composed: float) -> str:
        """See `BatchService`."""
        return name_file(wave) if (self._folder / name_file(wave)).exists() else ""

    async def look(self, batch: str) -> BatchState | None:
        """See `BatchService`. Answers are complete when each call has one, or when nobody has written for a while."""
        given, answers = self._folder / batch, self._answers(batch)
        if not given.exists():
            return None
        if not answers.exists():
            return BatchState("in_progress")
        lines = answers.read_bytes().splitlines()
        came = {parsed.key for line in lines if (parsed := parse_line(line))}
        wanted = {parse_json(line)["custom_id"] for line in given.read_bytes().splitlines()}
        if wanted <= came or self._now() - answers.stat().st_mtime > SETTLED:
            return BatchState("completed", (answers.name,))
        return BatchState("in_progress")

    async def read_lines(self, state: BatchState) -> AsyncIterator[BatchLine]:
        """See `BatchService`."""
        for name in state.files:
            for line in (self._folder / name).read_bytes().splitlines():
                if (parsed := parse_line(line)) is not None:
                    yield parsed

    async def cancel(self, batch: str) -> None:
        """See `BatchService`. A file that nobody has answered is taken away."""
        if not self._answers(batch).exists():
            with suppress(OSError):
                (self._folder / batch).unlink()
