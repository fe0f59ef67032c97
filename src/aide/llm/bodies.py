"""Bodies of answers: bounded in size, decompressed, and freed of what hides the JSON in them."""

import zlib
from collections.abc import AsyncIterable, Mapping
from typing import Any, Final

import orjson

from aide.errors import CallError

# The longest answers have some 100 kB; the list of models of a large router has 2 MB.
MOST: Final = 8 << 20
# A file of batched answers: 50,000 calls are the most that services take in one.
MOST_OF_A_FILE: Final = 1 << 30
# Bytes of all bodies that are being received: a process with 64 calls out must not need 64 times the most of one.
TOGETHER: Final = 64 << 20
# More than one layer comes from proxies that compress again; a longer chain is an attack or a fault.
LAYERS: Final = 2

_BOM: Final = b"\xef\xbb\xbf"
_WINDOWS: Final = {"gzip": 47, "x-gzip": 47, "deflate": 47}  # zlib's word for: gzip or zlib, find out which
_RAW: Final = -15


class BodyMeter:
    """Counts the bytes of all bodies that are being received."""

    def __init__(self) -> None:
        self.held = 0
        """Bytes of bodies that are not whole yet."""

    async def read(self, chunks: AsyncIterable[bytes], most: int = MOST) -> bytes:
        """The whole body.

        Raises:
            errors.CallError: it is larger than `most`, or all that are being received are together.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                self.held += len(chunk)
                if size > most:
                    raise _too_large(most)
                if self.held > TOGETHER and most <= MOST:
                    raise CallError(
                        f"answers of more than {TOGETHER >> 20} MB arrive at once", kind="overload"
                    )
                parts.append(chunk)
            return b"".join(parts)
        finally:
            self.held -= size


def decompress(content: bytes, encoding: str, most: int = MOST) -> bytes:
    """The content without the encodings that a header names. What is not really encoded is left as it is.

    Raises:
        errors.CallError: the encoding is unknown or broken, or the result larger than `most`.
    """
    names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not names or not content or content.lstrip(_BOM + b" \t\r\n")[:1] in (b"{", b"["):
        return content  # proxies are known to unpack a body and to leave its header
    if len(names) > LAYERS or any(name not in _WINDOWS for name in names):
        raise CallError(f"the answer is encoded as {encoding[:40]!r}, which was not asked for", kind="server")
    for name in reversed(names):
        content = _inflate(content, _WINDOWS[name], most)
    return content


def _inflate(content: bytes, window: int, most: int) -> bytes:
    for kind in (window, _RAW):  # some servers send the bare stream as "deflate"
        unpacker = zlib.decompressobj(kind)
        try:
            unpacked = unpacker.decompress(content, most + 1)
        except zlib.error:
            continue
        if len(unpacked) > most:
            raise _too_large(most)
        if not unpacker.eof:
            raise CallError("the compressed answer ends too early", kind="connection")
        return unpacked
    raise CallError("the compressed answer is broken", kind="server")


def unwrap(headers: Mapping[str, str], body: bytes) -> bytes:
    """The JSON in a body: without a byte order mark, and joined where it came as a stream of events."""
    body = body.removeprefix(_BOM)
    if "event-stream" not in headers.get("content-type", "") and not body.startswith(b"data:"):
        return body
    joined = join_events(body)
    return body if joined is None else orjson.dumps(joined)


def join_events(body: bytes) -> dict[str, Any] | None:
    """The completion whose pieces a stream of events holds; `None` where it holds none."""
    content: list[str] = []
    thinking: list[str] = []
    whole: dict[str, Any] = {}
    finish: Any = None
    choices = 0
    for line in body.splitlines():
        if not line.startswith(b"data:"):
            continue
        try:
            event = orjson.loads(line[5:])
        except orjson.JSONDecodeError:
            continue
        if not isinstance(event, dict):
            continue
        if event.get("error"):
            return event
        whole |= {name: event[name] for name in ("id", "model", "usage") if event.get(name)}
        choice = next(iter(event.get("choices") or ()), None)
        if not isinstance(choice, dict):
            continue
        choices += 1
        said = choice.get("delta") or choice.get("message") or {}
        if isinstance(said, dict):
            content += [said["content"]] if isinstance(said.get("content"), str) else []
            thought = said.get("reasoning_content") or said.get("reasoning")
            thinking += [thought] if isinstance(thought, str) else []
        finish = choice.get("finish_reason") or finish
    if not choices:
        return None
    message = {"role": "assistant", "content": "".join(content)}
    if thinking:
        message["reasoning_content"] = "".join(thinking)
    return {
        **whole,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }


def _too_large(most: int) -> CallError:
    return CallError(f"the answer is larger than {most >> 20} MB", kind="server")
