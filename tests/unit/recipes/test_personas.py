"""Personas: from a model, or from a bank by embeddings or by words."""

import asyncio
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError, Unusable
from aide.recipes.personas import PersonaBank, find_personas, load_bank, make_personas_payload
from aide.records import rng

PEOPLE = (
    "A lawyer for tenants",
    "A baker who gets up at three",
    "A nurse on night shifts",
    "A retired sailor",
)


class Model:
    """Answers every question with one text, and remembers what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, step: str, payload: Any, /, **context: Any) -> Any:
        self.asked.append({"step": step, **context})
        return payload.read(self.text)


def run(
    topic: str, count: int, bank: PersonaBank | None = None, model: Model | None = None
) -> tuple[str, ...]:
    return asyncio.run(find_personas(topic, count, bank, model or Model("")))


def test_the_model_writes_them_in_one_call() -> None:
    model = Model(json.dumps({"personas": [" A baker\n", "A baker", "", "A sailor", "A nurse"]}))
    assert run("rye bread", 2, model=model) == ("A baker", "A sailor")
    assert [(call["step"], call["topic"], call["count"]) for call in model.asked] == [
        ("personas", "rye bread", 2)
    ]


def test_no_personas_is_no_loss_of_the_point() -> None:
    assert run("rye bread", 3, model=Model('{"personas": []}')) == ()
    model = Model("")
    assert run("rye bread", 0, model=model) == run("", 3, model=model) == ()
    assert not model.asked
    with pytest.raises(Unusable, match="3 descriptions"):
        make_personas_payload(3).read('{"personas": [" "]}')


def test_the_schema_asks_for_exactly_so_many() -> None:
    schema = make_personas_payload(4).schema
    assert schema is not None
    assert schema["properties"]["personas"] == {
        "items": {"type": "string"},
        "maxItems": 4,
        "minItems": 4,
        "type": "array",
    }


def test_shared_words_rank_first_and_there_is_no_floor() -> None:
    bank = PersonaBank(PEOPLE)
    chosen = run("how tenants and lawyers argue", 3, bank)
    assert chosen[0] == PEOPLE[0]
    assert len(set(chosen)) == 3
    assert run("Mietrecht", 2, bank) == run("Mietrecht", 2, PersonaBank(PEOPLE))
    assert len({run(f"topic {n}", 1, bank) for n in range(20)}) > 1


def test_embeddings_rank_by_meaning_however_far_the_topic_is() -> None:
    space = {"bread": [1.0, 0.0], PEOPLE[1]: [0.96, 0.28], PEOPLE[0]: [0.8, 0.6], PEOPLE[2]: [0.6, 0.8]}
    calls = []

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        calls.append(len(texts))
        return [space.get(text, [0.0, 1.0]) for text in texts]

    bank = PersonaBank(PEOPLE, embed)
    assert run("bread", 3, bank) == (PEOPLE[1], PEOPLE[0], PEOPLE[2])
    assert run("bread", 1, bank) == (PEOPLE[1],)
    assert calls == [4, 1, 1]  # the bank is embedded once


def test_a_large_bank_is_embedded_in_batches_and_the_nearest_come_first() -> None:
    people = tuple(f"person {n}" for n in range(1000))
    sizes: list[int] = []

    def vector(text: str) -> list[float]:
        draw = rng("vector", text)
        far = 0.05 + 0.6 * (int(text.split()[-1]) / 1000) if text in people else 0.0
        values = [1.0 + far * draw.gauss(0, 1) for _ in range(64)]
        norm = math.sqrt(sum(value * value for value in values))
        return [value / norm for value in values]

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        sizes.append(len(texts))
        return [vector(text) for text in texts]

    bank = PersonaBank(people, embed)

    async def both() -> tuple[str, ...]:
        one = asyncio.create_task(bank.nearest("a topic", 5))
        await bank.nearest("another topic", 5)
        return await one

    wanted = vector("a topic")
    best = sorted(people, key=lambda each: -sum(a * b for a, b in zip(wanted, vector(each), strict=True)))[:5]
    assert asyncio.run(both()) == tuple(best)
    assert sorted(sizes, reverse=True) == [32] * 31 + [8, 1, 1]


def test_an_embedding_that_never_came_is_no_loss_of_the_point() -> None:
    async def embed(texts: Sequence[str]) -> list[list[float]]:
        raise Unusable("no_embedding", "The answer holds no embedding.")

    assert run("bread", 2, PersonaBank(PEOPLE, embed)) == ()


def test_a_bank_is_read_from_jsonl_or_plain_lines(tmp_path: Path) -> None:
    file = tmp_path / "people.txt"
    file.write_text(
        '\ufeff{"persona": "A  baker", "id": 1}\n\nA sailor\n"A nurse"\nA sailor\n', encoding="utf-8"
    )
    assert load_bank(file).personas == ("A baker", "A sailor", "A nurse")


def test_a_bank_comes_with_the_package() -> None:
    assert len(load_bank().personas) >= 100


@pytest.mark.parametrize(
    ("content", "told"),
    [("ok\n{broken", ":2"), ('{"name": "x"}', ":1"), ("\n \n", "no personas"), (None, "cannot read")],
)
def test_a_broken_bank_is_told_with_its_place(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "people.jsonl"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=told) as fault:
        load_bank(file)
    assert str(file) in str(fault.value)


def test_personas_that_came_with_the_topic_are_not_asked_for() -> None:
    model = Model("")
    given = ("a baker at three", "a child with a coin", "a miller")
    assert asyncio.run(find_personas("bread", 2, None, model, given=given)) == given[:2]
    assert model.asked == []
    bank = PersonaBank(PEOPLE)
    assert asyncio.run(find_personas("tenants", 1, bank, model, given=given)) == (PEOPLE[0],), (
        "a bank was asked for"
    )


def test_a_single_word_describes_nobody() -> None:
    assert run("bread", 3, None, Model('{"personas": ["Alice", "a baker at three"]}')) == (
        "a baker at three",
    )
