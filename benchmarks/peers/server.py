"""The endpoint that all tools are driven against: the simulator's server, with answers by the tag in a prompt.

    python server.py --rows 800 [--slots 64 --latency 1.0]

What a call is answered, and how long that takes, depends on its tag (`[row 000017 judge]`) and --seed alone, so that
every tool meets the same work. Without --latency answers lie ready, so that the client is what is measured. Requests
without a tag (probes of a tool, aide's task card) are answered by the simulator at once and counted apart.

`/stats` tells `answered` (different calls), `repaid` (answers to calls that had been answered before), `others`,
`peak` in flight, `slot_seconds`, `first` and `last` (when the first call came and the last answer went, on the
system's monotonic clock), `cpu_seconds`, and `asked`, one number for the messages of all calls: equal
numbers mean equal prompts.
"""

import argparse
import asyncio
import math
import re
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from work import STAGES, rows

from aide.records import rng
from aide.simulator import Simulator, serve

TAG = re.compile(rb"\[row (\d{6}) (\w+)\]")
SIGMA = 0.7  # of the lognormal seconds, as in the simulator
WORDS = """
clerk porter baker driver guard nurse cook mason gardener sailor weaver printer
carries counts weighs sorts repairs loads paints checks stacks washes wraps labels
crates planks loaves tickets lamps chairs sacks bottles letters tiles ropes parcels
harbour station market orchard workshop library museum quarry mill dairy garden depot
"""
LISTS = [line.split() for line in WORDS.strip().splitlines()]  # who, does, what, where


def paragraph(job: str) -> str:
    """Eleven sentences, the same for the same job."""
    dice = rng("paragraph", job)
    said = []
    for _ in range(11):
        who, did, what, where = map(dice.choice, LISTS)
        said.append(
            f"The {who} {did} {dice.randrange(2, 400)} {what} near the {where} before {where} and {what} close."
        )
    return " ".join(said)


def completion(job: str) -> bytes:
    """The body of a chat completion."""
    text = paragraph(job)
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 400, "completion_tokens": len(text) // 4, "total_tokens": 400 + len(text) // 4}
    return orjson.dumps(
        {
            "id": f"chatcmpl-{blake2b(job.encode(), digest_size=8).hexdigest()}",
            "object": "chat.completion",
            "created": 0,
            "model": "simulator",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }
    )


def text_of(content: Any) -> str:
    """The text of a message, which may come in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


class Counting(Simulator):
    """The simulator, with tagged calls answered and counted here."""

    def __init__(self, count: int, slots: int, latency: float, seed: int) -> None:
        super().__init__()
        self.latency, self.seed = latency, str(seed)
        self.free = asyncio.Semaphore(slots or 1 << 20)
        self.ready = {
            f"{row} {stage}": completion(f"{row} {stage}") for row in rows(count) for stage in STAGES
        }
        self.known: set[str] = set()
        self.counts = dict.fromkeys(("repaid", "others", "in_flight", "peak", "asked"), 0)
        self.slot_seconds = self.first = self.last = 0.0
        self.began = time.process_time()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Mapping[str, Any]
    ) -> Any:
        """A tagged call by its tag, all else as the simulator does."""
        if path.endswith("/stats"):
            return 200, {}, self.told()
        if not isinstance(body, bytes) or (tag := TAG.search(body)) is None:
            self.counts["others"] += method == "POST"
            return await super().handle(method, path, headers, body)
        job = f"{tag[1].decode()} {tag[2].decode()}"
        self.first = self.first or time.monotonic()
        if self.latency:
            await self.serve(job, orjson.loads(body))
        self.counts["repaid"] += job in self.known
        self.known.add(job)
        self.last = time.monotonic()
        return 200, {}, self.ready[job]

    async def serve(self, job: str, body: Mapping[str, Any]) -> None:
        """Wait for a slot and hold it for the call's time; a client that goes away frees it."""
        counts = self.counts
        seconds = self.latency * math.exp(rng("latency", self.seed, job).gauss(-SIGMA * SIGMA / 2, SIGMA))
        counts["in_flight"] += 1
        counts["peak"] = max(counts["peak"], counts["in_flight"])
        try:
            async with self.free:
                await asyncio.sleep(seconds)
        finally:
            counts["in_flight"] -= 1
        self.slot_seconds += seconds
        if job not in self.known:
            said = orjson.dumps([(each["role"], text_of(each["content"])) for each in body["messages"]])
            counts["asked"] ^= int.from_bytes(blake2b(said, digest_size=6).digest())

    def told(self) -> dict[str, Any]:
        """The figures by name."""
        times = {"slot_seconds": self.slot_seconds, "first": self.first, "last": self.last}
        return {
            "answered": len(self.known),
            **self.counts,
            **times,
            "cpu_seconds": time.process_time() - self.began,
        }


async def main() -> None:
    """Print the base URL, then serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--slots", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0, help="of the latencies")
    asked = parser.parse_args()

    def ready(port: int) -> None:
        print(f"http://127.0.0.1:{port}/v1", flush=True)

    counting = Counting(asked.rows, asked.slots, asked.latency, asked.seed)
    await serve(counting, "127.0.0.1", 0, ready=ready)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
