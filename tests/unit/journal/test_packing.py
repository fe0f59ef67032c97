"""What is packed comes back byte by byte, the more alike the smaller, and stands beside what is not packed."""

import asyncio
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.journal import AnsweredCall, Journal, Outcome
from aide.journal.packing import MARK, Packer, Unpacker, join_exchange, split_exchange
from aide.records import Usage, digest, rng
from runs import ROOT

WORDS = (
    "river",
    "market",
    "ledger",
    "orchard",
    "signal",
    "window",
    "copper",
    "winter",
    "garden",
    "engine",
    "harbour",
)


def write(length: int, *names: str) -> str:
    return " ".join(rng("prose", *names).choices(WORDS, k=length // 7))


def call(number: int, *, step: str = "synthesize", body: bytes = b"") -> AnsweredCall:
    said = {
        "id": digest("id", str(number)), "object": "chat.completion", "created": 1_800_000_000 + number, "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": write(300, str(number)), "refusal": None},
             "logprobs": None, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 900 + number, "completion_tokens": 70, "total_tokens": 970 + number},
    }  # fmt: skip
    return AnsweredCall(
        digest("call", str(number)), "", step, 0, 0, "m", "e", "m", write(400, "system"),
        write(2500, "shared") + write(200, "own", str(number)), {"max_tokens": 300}, body or json.dumps(said).encode(),
        Usage(1, 900, 70), 0.5, 1.8e9 + number, 0.1,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def fill(path: Path, numbers: range, **changes: str) -> None:
    async def work() -> None:
        with Journal.open(path, pace=0.0) as journal:
            for number in numbers:
                await journal.record(call(number, **changes))  # type: ignore[arg-type]
                await journal.settle(
                    Outcome(
                        f"n{number}",
                        "accepted",
                        "s",
                        "p",
                        1,
                        0,
                        "o",
                        "",
                        json.dumps({"input": "x" * 80}).encode(),
                    )
                )
                journal.decide("call group", f"g{number}", {"items": [write(200, str(number))]})

    asyncio.run(work())


def read(path: Path) -> list[AnsweredCall]:
    with Journal.open(path, readonly=True) as journal:
        return list(journal.read_calls())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=400)), max_size=12))
def test_every_value_comes_back_byte_by_byte(values: list[tuple[str, bytes]]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, family TEXT UNIQUE, data BLOB)"
        )
        packer = Packer(connection)
        packed = [packer.pack(family, data) for family, data in values]
        unpacker = Unpacker(
            lambda number: connection.execute(
                "SELECT data FROM dictionaries WHERE id = ?", (number,)
            ).fetchone()[0]
        )
        assert [unpacker.unpack(each) for each in packed] == [data for _, data in values]
        again = Packer(connection)  # as the next process finds it
        assert [unpacker.unpack(again.pack(family, data)) for family, data in values] == [
            data for _, data in values
        ]


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_prompt_and_answer_of_a_call_come_apart_again(user: bytes, body: bytes) -> None:
    assert split_exchange(join_exchange(user, body)) == (user, body)


def test_what_is_alike_takes_little_place(path: Path) -> None:
    fill(path, range(200))
    assert read(path) == [call(number) for number in range(200)]
    assert path.stat().st_size < 200 * 1200  # a prompt of 2,700 bytes and an answer of 600
    with closing(sqlite3.connect(path)) as journal:
        families = [name for (name,) in journal.execute("SELECT family FROM dictionaries ORDER BY family")]
    assert families == ["decision call group", "outcome accepted", "synthesize"]


def test_a_later_process_packs_against_the_same_dictionaries(path: Path) -> None:
    for first in range(0, 40, 4):
        fill(path, range(first, first + 4))
    with closing(sqlite3.connect(path)) as journal:
        assert journal.execute("SELECT count(*) FROM dictionaries").fetchone() == (3,)
    assert read(path) == [call(number) for number in range(40)]
    with Journal.open(path, readonly=True) as again:
        assert [outcome.node for outcome in again.read_outcomes()] == [f"n{number}" for number in range(40)]
        assert again.get_decision("call group", "g7") == {"items": [write(200, "7")]}
        assert len(list(again.read_decisions("call group"))) == 40


def test_an_answer_that_looks_packed_comes_back_as_it_came(path: Path) -> None:
    async def work() -> None:
        with Journal.open(path, pace=0.0) as journal:
            for number in range(4):
                await journal.record(call(number, body=MARK + b"\0\0\0\1 nothing of ours"))

    asyncio.run(work())
    assert {each.body for each in read(path)} == {MARK + b"\0\0\0\1 nothing of ours"}


def test_embeddings_stay_as_they_came(path: Path) -> None:
    fill(path, range(4), step="embed")
    with closing(sqlite3.connect(path)) as journal:
        bodies = [body for (body,) in journal.execute("SELECT body FROM exchanges ORDER BY id")]
    assert bodies == [call(number).body for number in range(4)]
    assert [each.user for each in read(path)] == [call(number).user for number in range(4)]


def test_a_journal_of_version_1_is_read_and_goes_on(tmp_path: Path) -> None:
    """Rows of both versions stand in one file then."""
    with tarfile.open(ROOT / "tests/fixtures/version_0_1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    path = tmp_path / "stopped.aide" / "journal.sqlite"
    with closing(sqlite3.connect(path)) as journal:
        old = journal.execute("SELECT count(*), sum(length(body)) FROM exchanges").fetchone()
        [(version,)] = journal.execute("SELECT value FROM meta WHERE name = 'schema'")
    assert version == b"1"
    before = read(path)
    assert len(before) == old[0]
    assert sum(len(each.body) for each in before) == old[1]
    with Journal.open(path, readonly=True) as journal_before:
        settled = list(journal_before.read_outcomes())
    fill(path, range(6))
    assert read(path) == [*before, *(call(number) for number in range(6))]
    with Journal.open(path, readonly=True) as journal_after:
        assert list(journal_after.read_outcomes())[: len(settled)] == settled
        assert journal_after.recall_body(before[0].key) == (before[0].body, before[0].answered_by)
    with closing(sqlite3.connect(path)) as journal:
        assert journal.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() == (b"2",)
