"""Nothing that a model says, in whatever escapes, brings control characters into what a run writes."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aide.recipes import RECIPES
from aide.simulator import Simulator, SimulatorSettings, serve
from contracts.test_recipes import GIVEN, find_seeds
from runs import aide, expand, records

DIRT = "\x00\x1b[31m\x1b]0;pwn\x07\u202e\ufffe"
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufeff\ufffe\uffff\ud800-\udfff]")


class DirtySimulator(Simulator):
    """A simulator behind whose every text stand control characters; in JSON as escapes."""

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = super().answer(body)
        message = answer["choices"][0]["message"]
        try:
            message["content"] = json.dumps(add_dirt(json.loads(message["content"])))
        except ValueError:
            message["content"] += DIRT
        return {**answer, "model": f"simulator{DIRT}"}


def add_dirt(value: Any) -> Any:
    if isinstance(value, str):
        return value + DIRT
    if isinstance(value, list):
        return [add_dirt(each) for each in value]
    return {name: add_dirt(each) for name, each in value.items()} if isinstance(value, dict) else value


def find_dirt(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, str) and UNWANTED.search(value):
        yield f"{where}: {value!r}"
    elif isinstance(value, list):
        for each in value:
            yield from find_dirt(each, where)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from find_dirt(name, f"the keys of {where}")
            yield from find_dirt(each, f"{where}.{name}")


async def grow(seeds: Path, folder: Path, *options: str) -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    settings = SimulatorSettings(accept_all=True)
    serving = asyncio.create_task(serve(DirtySimulator(settings), "127.0.0.1", 0, ready=port.set_result))
    try:
        await asyncio.to_thread(expand, seeds, folder, *options, url=f"http://127.0.0.1:{await port}/v1")
    finally:
        serving.cancel()
        await asyncio.wait([serving])


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_writes_what_a_terminal_would_obey(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    asyncio.run(
        grow(find_seeds(name), folder, "--recipe", name, "--target", "6", "--yes", *GIVEN.get(name, ()))
    )
    assert records(folder)
    for path in (*folder.glob("shards/*.jsonl"), folder / "rejects.jsonl", folder / "summary.json"):
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for text in texts if path.suffix == ".jsonl" else ["\n".join(texts)]:
            assert list(find_dirt(json.loads(text), path.name)) == []
    assert {record["model"] for record in records(folder)} == {"simulator"}
    if name == "aide":
        aide("export", folder, "--to", "dataset", "-o", tmp_path / "set")
        assert "\x1b" not in (tmp_path / "set/README.md").read_text(encoding="utf-8")
