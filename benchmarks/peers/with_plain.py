"""The reference: a streaming loop over one HTTP client, with nothing that a tool is there for. A rerun begins anew."""

import asyncio
import json

import aiohttp
from work import IN_FLIGHT, MODEL, SAMPLING, STAGES, messages, rows, told


async def main() -> None:
    """Every row is a task; calls are let through in the order in which they come to the gate."""
    asked = told()
    gate = asyncio.Semaphore(IN_FLIGHT)
    out = (asked.folder / "rows.jsonl").open("w", encoding="utf-8")
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(600)) as session:

        async def grow(row: str) -> None:
            said = {"row": row}
            for stage in STAGES:
                body = {"model": MODEL, "messages": messages(stage, **said), **SAMPLING}
                async with gate, session.post(f"{asked.url}/chat/completions", json=body) as reply:
                    said[stage] = (await reply.json())["choices"][0]["message"]["content"]
            out.write(json.dumps(said) + "\n")

        async with asyncio.TaskGroup() as group:
            for row in rows(asked.rows):
                group.create_task(grow(row))
    out.close()


asyncio.run(main())
