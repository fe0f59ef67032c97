"""Batches of an endpoint and of a folder: what is sent, found again, and read back byte for byte."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from aide.config.spec import RunSpec
from aide.engines.local import LocalModels
from aide.errors import CallError, EndpointUnusable, NodeError
from aide.llm.batch_folder import SETTLED, BatchFolder
from aide.llm.batches import BatchLine, BatchService, BatchState, cut_value, make_line, parse_line
from aide.llm.client import CallableTransport, Handler
from aide.llm.request import ChatRequest, ModelAnswer
from aide.records import Message
from aide.simulator import Simulator, SimulatorSettings
from aide.simulator.settings import read_faults

URL = "http://simulator.local/v1"
ASKED = ChatRequest("extract", "m", (Message("system", "s"), Message("user", "Name a river.")), 50)


def ask(number: int) -> ChatRequest:
    return ChatRequest("extract", "m", (Message("system", "s"), Message("user", f"Name river {number}.")), 50)


def make_models(answer: Handler) -> LocalModels:
    spec = RunSpec(base_url=(URL,), model="m", batch="api")
    [name] = [each.name for each in spec.list_endpoints()]
    return LocalModels(spec, transports={name: CallableTransport(answer)})


class Bench:
    """The batches of a simulator, as a run opens them."""

    def __init__(self, faults: str = "", seconds: float = 0.0) -> None:
        settings = SimulatorSettings(faults=read_faults(faults), batch_latency=seconds)
        self.simulator = Simulator(settings)
        self.heard: list[tuple[str, str]] = []
        self.models = make_models(self._answer)
        service = self.models.open_batches()
        assert service is not None
        self.service: BatchService = service

    async def _answer(
        self, path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], Mapping[str, Any] | bytes]:
        self.heard.append((headers[":method"], path))
        return await self.simulator.respond(path, body, headers)

    async def prove(self) -> ModelAnswer:
        """A call by itself, after which it is known what the endpoint takes."""

        async def keep(answer: ModelAnswer) -> None:
            pass

        return await self.models.complete(ASKED, 0, keep)

    def make_lines(self, *requests: ChatRequest) -> list[bytes]:
        lines = []
        for number, request in enumerate(requests):
            prepared = self.service.prepare(request)
            assert prepared is not None
            lines.append(make_line(f"key{number}", prepared[0]))
        return lines

    async def read(self, state: BatchState) -> list[BatchLine]:
        return [line async for line in self.service.read_lines(state)]


async def submit_and_look(bench: Bench, count: int) -> tuple[str, BatchState, list[BatchLine]]:
    await bench.prove()
    batch = await bench.service.submit("wave", "m", bench.make_lines(*map(ask, range(count))))
    state = await bench.service.look(batch)
    assert state is not None
    return batch, state, await bench.read(state)


def test_a_line_has_the_answer_that_the_call_by_itself_would_have() -> None:
    async def work() -> None:
        bench = Bench()
        assert bench.service.prepare(ASKED) is None, "nobody knows yet what the endpoint takes"
        alone = await bench.prove()
        batch = await bench.service.submit("wave", "m", bench.make_lines(ASKED, ask(1)))
        state = await bench.service.look(batch)
        assert state is not None
        assert (state.status, state.final) == ("completed", True)
        lines = {line.key: line for line in await bench.read(state)}
        assert sorted(lines) == ["key0", "key1"]
        answer = lines["key0"].read("s", "Name a river.", endpoint="e", model="m", sent={"batch": "wave"})
        assert answer.data["choices"] == alone.data["choices"]
        assert (answer.usage.prompt, answer.usage.completion) == (alone.usage.prompt, alone.usage.completion)
        assert (answer.tier, answer.sent) == ("batch", {"batch": "wave"})

    asyncio.run(work())


def test_a_wave_is_found_by_its_name_among_many_and_only_if_it_was_submitted() -> None:
    async def work() -> None:
        bench = Bench()
        await bench.prove()
        names = [await bench.service.submit(f"w{n}", "m", bench.make_lines(ask(n))) for n in range(130)]
        assert await bench.service.find("w3", 0.0) == names[3]  # on the second page
        assert await bench.service.find("w129", 0.0) == names[129]
        assert await bench.service.find("other", 0.0) == ""

    asyncio.run(work())


def test_half_of_what_expires_or_is_cancelled_comes_back() -> None:
    async def work() -> None:
        _, expired, lines = await submit_and_look(Bench("expired:1"), 10)
        assert expired.status == "expired"
        assert sorted(line.status for line in lines) == [0] * 5 + [200] * 5
        with pytest.raises(CallError, match="expired"):
            next(line for line in lines if not line.status).read("", "", endpoint="e", model="m", sent={})
        slow = Bench(seconds=3600)
        batch, state, none = await submit_and_look(slow, 10)
        assert not state.final
        assert none == []
        await slow.service.cancel(batch)
        cancelled = await slow.service.look(batch)
        assert cancelled is not None
        assert cancelled.status == "cancelled"
        assert sum(line.status == 200 for line in await slow.read(cancelled)) == 5

    asyncio.run(work())


def test_lines_that_failed_or_came_twice_are_told_apart() -> None:
    async def work() -> None:
        _, _, lines = await submit_and_look(Bench("failed:0.3,twice:0.3,missing:0.2"), 60)
        failed = [line for line in lines if line.status != 200]
        assert failed
        with pytest.raises(CallError, match="failed here"):
            failed[0].read("", "", endpoint="e", model="m", sent={})
        keys = [line.key for line in lines]
        assert len(set(keys)) < len(keys), "some came twice"
        assert len(set(keys)) < 60, "some did not come"

    asyncio.run(work())


def test_a_server_without_batches_is_told() -> None:
    async def nothing(path: str, body: Any, headers: Any) -> tuple[int, Mapping[str, str], bytes]:
        return 404, {}, b"{}"

    async def work() -> None:
        service = make_models(nothing).open_batches()
        assert service is not None
        with pytest.raises(EndpointUnusable, match="takes no batches: it has no /files"):
            await service.submit("wave", "m", [b"{}"])

    asyncio.run(work())


def test_an_unknown_batch_is_gone_and_a_service_of_another_run_is_not_there() -> None:
    async def work() -> None:
        bench = Bench()
        assert await bench.service.look("batch_99") is None
        assert bench.models.open_batches(URL) is not None
        assert bench.models.open_batches("http://elsewhere/v1") is None

    asyncio.run(work())


# --- lines ------------------------------------------------------------------------------------------


def test_the_body_is_kept_as_it_stands_in_the_line() -> None:
    body = b'{ "choices" : [], "a\\"b": "{\\"body\\": 1}",  "n": 1.50, "u": "\\u00e9\xc3\xa9" }'
    line = b'{"id": "x", "custom_id": "k", "response": {"status_code": 200, "body":  ' + body + b"}}"
    parsed = parse_line(line)
    assert parsed == BatchLine("k", 200, body)
    assert cut_value(b'{"a": {"b": [1, {"c": 2}]}, "c": 3}', "a", "b") == b'[1, {"c": 2}]'


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[1]", b'{"response": {}}', b'{"custom_id": 3}'])
def test_what_is_no_line_is_none(line: bytes) -> None:
    assert parse_line(line) is None


def test_a_refusal_in_a_line_is_what_it_would_be_by_itself() -> None:
    said = {"error": {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}}
    line = parse_line(orjson.dumps({"custom_id": "k", "response": {"status_code": 400, "body": said}}))
    assert line is not None
    with pytest.raises(NodeError) as caught:
        line.read("", "", endpoint="e", model="m", sent={})
    assert caught.value.reason == "context_too_long"


# --- a folder ---------------------------------------------------------------------------------------


def test_a_folder_of_lines_is_answered_by_somebody_else(tmp_path: Path) -> None:
    async def work() -> None:
        now = [0.0]
        service = BatchFolder(tmp_path / "waves", lambda model: None, lambda: now[0])
        prepared = service.prepare(ASKED)
        assert prepared is not None
        assert await service.find("w", 0.0) == ""
        lines = [make_line(f"k{n}", prepared[0]) for n in range(3)]
        batch = await service.submit("w", "m", lines)
        given = tmp_path / "waves" / batch
        assert given.read_bytes().splitlines() == lines
        assert await service.find("w", 0.0) == batch
        assert f"-i {given} -o {given.with_suffix('')}.out.jsonl --model m" in service.describe_command(
            "w", "m"
        )
        assert await service.look(batch) == BatchState("in_progress")

        answers = given.with_name(f"{given.stem}.out.jsonl")
        rows = [
            orjson.dumps({"custom_id": f"k{n}", "response": {"status_code": 200, "body": {"choices": []}}})
            for n in range(3)
        ]
        answers.write_bytes(b"\n".join(rows[:2]))
        written = answers.stat().st_mtime
        now[0] = written + SETTLED - 1
        assert await service.look(batch) == BatchState("in_progress"), "somebody may still write"
        now[0] = written + SETTLED + 1
        state = await service.look(batch)
        assert state == BatchState("completed", (answers.name,))
        assert [line.key async for line in service.read_lines(state)] == ["k0", "k1"]

        answers.write_bytes(b"\n".join(rows))
        os.utime(answers, (written, written))
        now[0] = written
        whole = await service.look(batch)
        assert whole is not None
        assert whole.final, "each call has its line"
        await service.cancel(batch)
        assert given.exists(), "what was answered is not taken away"

    asyncio.run(work())


def test_a_line_that_is_nested_too_deeply_is_a_failed_call() -> None:
    deep = b"[" * 990 + b"]" * 990
    line = b'{"custom_id": "a", "response": {"status_code": 200, "body": {"x": ' + deep + b"}}}"
    read = parse_line(line)
    assert read is None or read.key == "a"
