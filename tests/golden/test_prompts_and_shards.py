"""What a model is sent and what a run writes, for three very different tasks, word for word.

The task cards are written by hand, so that prompts read as they do with a model; the simulator answers the rest.

    AIDE_UPDATE_GOLDEN=1 python -m pytest tests/golden

writes the files anew; what changed then shows in the diff.
"""

import json
import os
from pathlib import Path

import orjson
import pytest

from aide.journal import AnsweredCall, Journal
from endpoints.beside import beside
from endpoints.cards import telling
from runs import SMALL, contents, expand, few

HERE = Path(__file__).parent / "files"
TASKS = ("word_problems", "support_tickets_de", "contract_questions")
KINDS = (
    "extract", "synthesize, guided and anchored", "synthesize, plain", "revise", "answer", "reflect, blind",
    "reflect, beside the parent",
)  # fmt: skip


@pytest.fixture(scope="module", params=TASKS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A task's name, and the folder of its small tree with settings that leave nothing to chance."""
    here = tmp_path_factory.mktemp(request.param)
    seeds = few(here, f"{request.param}.jsonl")
    small = (*SMALL, "--target", "all", "--duplicates", "off", "--no-exam", "--realism", "0")
    with beside(telling(request.param).serving()) as url:
        expand(seeds, here / "run", *small, url=url)
    return request.param, here / "run"


def compare(name: str, text: str) -> None:
    path = HERE / name
    if os.environ.get("AIDE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == written, f"{name} is stale: AIDE_UPDATE_GOLDEN=1 writes it anew"


def shown(call: AnsweredCall) -> str:
    turns = (
        orjson.loads(call.user)
        if call.user.startswith('[{"role"')
        else [{"role": "user", "content": call.user}]
    )
    said = "\n\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in turns)
    return f"===== {call.step}\n\n[system]\n{call.system}\n\n{said}\n"


def kind_of(call: AnsweredCall) -> str:
    """Which of `KINDS` a call is; its step alone where that says it."""
    if call.step == "synthesize":
        shown = (
            "guided and anchored"
            if "<seed>" in call.user
            else "guided"
            if "<parent>" in call.user
            else "plain"
        )
    elif call.step == "reflect":
        shown = "beside the parent" if "<pair " in call.user else "blind"
    else:
        return call.step
    return f"{call.step}, {shown}"


def test_prompts(run: tuple[str, Path]) -> None:
    """The first prompt of each kind that the task has, by its text.

    Not by the record: a call that siblings share is booked on whichever of them asked first.
    """
    name, folder = run
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        first: dict[str, AnsweredCall] = {}
        for call in sorted(journal.read_calls(), key=lambda call: (call.system, call.user, call.draw)):
            first.setdefault(kind_of(call), call)
    compare(f"{name}.prompts.txt", "\n".join(shown(first[kind]) for kind in KINDS if kind in first))


def test_shards(run: tuple[str, Path]) -> None:
    """The first records by id, as they stand on disk."""
    name, folder = run
    kept = sorted(contents(folder).items())[:4]
    compare(
        f"{name}.shard.jsonl", "".join(json.dumps(record, ensure_ascii=False) + "\n" for _, record in kept)
    )
