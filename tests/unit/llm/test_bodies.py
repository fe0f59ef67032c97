import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest

from aide.errors import CallError
from aide.llm.bodies import MOST, TOGETHER, BodyMeter, decompress, join_events, unwrap

JSON = b'{"a": 1}'
PLAIN = b"x" * 1000


def _zip(content: bytes) -> bytes:
    """Without the time in the header: the content names the test, and each worker has to find the same names."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (PLAIN, ""),
        (PLAIN, "identity"),
        (_zip(PLAIN), "gzip"),
        (_zip(PLAIN), "X-GZIP"),
        (zlib.compress(PLAIN), "deflate"),
        (zlib.compress(PLAIN)[2:-4], "deflate"),
        (_zip(zlib.compress(PLAIN)), "deflate, gzip"),
    ],
)
def test_encodings_are_taken_off(content: bytes, encoding: str) -> None:
    assert decompress(content, encoding) == PLAIN


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd"])
def test_json_under_a_header_that_a_proxy_left_behind_is_json(encoding: str) -> None:
    assert decompress(b"\xef\xbb\xbf" + JSON, encoding).endswith(JSON)


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"\x01\x02", "br", "'br'"),
        (b"\xff\xff", "gzip", "broken"),
        (_zip(PLAIN)[:-9], "gzip", "too early"),
        (_zip(bytes(MOST + 1)), "gzip", "larger than 8 MB"),
        (_zip(_zip(_zip(PLAIN))), "gzip, gzip, gzip", "not asked for"),
    ],
)
def test_what_can_not_be_unpacked_is_a_failed_call(content: bytes, encoding: str, words: str) -> None:
    with pytest.raises(CallError, match=words):
        decompress(content, encoding)


class Source:
    """Chunks without end; counts how many were taken."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1
            yield bytes(self.size)
            await asyncio.sleep(0)


def test_a_body_without_end_is_cut_at_its_bound() -> None:
    source, meter = Source(1 << 20), BodyMeter()
    with pytest.raises(CallError, match="larger than 8 MB"):
        asyncio.run(meter.read(source))
    assert source.taken == 9
    assert meter.held == 0


def test_all_bodies_together_have_a_bound_too() -> None:
    meter = BodyMeter()

    async def work() -> list[BaseException | None]:
        most = 0
        ends: list[BaseException | None] = []

        async def one() -> None:
            nonlocal most
            try:
                await meter.read(Source(1 << 20))
            except CallError as error:
                ends.append(error)
            most = max(most, meter.held)

        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(one())
        assert most <= TOGETHER
        return ends

    ends = asyncio.run(work())
    assert {"overload", "server"} == {end.kind for end in ends if isinstance(end, CallError)}
    assert meter.held == 0


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert unwrap({}, b"\xef\xbb\xbf" + JSON) == JSON


def events(*pieces: object) -> bytes:
    return (
        b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces) + b"data: [DONE]\n\n"
    )


def test_a_stream_that_nobody_asked_for_is_joined() -> None:
    body = events(
        {"model": "m", "choices": [{"delta": {"role": "assistant", "reasoning": "hm"}}]},
        {"model": "m", "choices": [{"delta": {"content": "Hel"}, "finish_reason": None}]},
        {"model": "m", "choices": [{"delta": {"content": "lo"}}]},
        {"choices": [{"delta": {}, "finish_reason": "length"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    joined = json.loads(unwrap({"content-type": "text/event-stream"}, body))
    [choice] = joined["choices"]
    assert choice["message"]["content"] == "Hello"
    assert choice["message"]["reasoning_content"] == "hm"
    assert choice["finish_reason"] == "length"
    assert (joined["model"], joined["usage"]["completion_tokens"]) == ("m", 2)


def test_an_error_in_a_stream_is_the_error() -> None:
    assert join_events(
        events({"choices": [{"delta": {"content": "a"}}]}, {"error": {"message": "gone"}})
    ) == {"error": {"message": "gone"}}


@pytest.mark.parametrize("body", [b"", b"data: [DONE]\n\n", b"data: {\n\n", b"data: [1]\n\n", b": ping\n\n"])
def test_a_stream_without_a_piece_is_left_as_it_came(body: bytes) -> None:
    assert unwrap({"content-type": "text/event-stream"}, body) == body
