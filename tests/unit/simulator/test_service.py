import asyncio
import json
from typing import Any

import pytest

from aide.errors import InputError
from aide.simulator import Simulator, SimulatorSettings, from_url
from unit.simulator.prompting import (
    PARENT,
    READINGS,
    TRIPLES,
    blind,
    json_of,
    request,
    shape,
    synthesize,
    text,
    text_of,
)

CHAT = "/v1/chat/completions"


def post(simulator: Any, body: Any, path: Any = CHAT) -> Any:
    return asyncio.run(simulator.handle("POST", path, {}, body))


def test_answer_depends_on_messages_schema_and_seed_alone() -> None:
    plain = request(synthesize())
    first = Simulator().answer(plain)
    assert Simulator().answer({**plain, "model": "b", "max_tokens": 9, "temperature": 0}) == first
    assert first["model"] == "simulator"
    assert first["usage"]["prompt_tokens"] > 0
    assert first["usage"]["completion_tokens"] > 0
    assert Simulator().answer({**plain, "seed": 1})["choices"] != first["choices"]


def test_answer_does_not_depend_on_order() -> None:
    bodies = [request(synthesize(f"item{n}.")) for n in range(20)]
    one, two = Simulator(), Simulator()
    forward = [one.answer(body) for body in bodies]
    backward = [two.answer(body) for body in reversed(bodies)]
    assert forward == backward[::-1]


@pytest.mark.parametrize("user", [f"<text>\n{PARENT}\n</text>\nName them.", blind("A text.")])
def test_on_every_rung_comes_the_same_answer(user: str) -> None:
    schema = READINGS if "<text n" in user else shape(topic=text(), triples=TRIPLES)
    strict = request(user, schema=schema)
    told = request(f"{user}\n\nIt must fit this JSON Schema:\n{json.dumps(schema)}")
    fields = ({"type": "json_object", "schema": schema}, {"type": "json_object"}, {"type": "text"})
    lower = [{**told, "response_format": field} for field in fields]
    answers = [text_of(Simulator().answer(body)) for body in (strict, told, *lower)]
    assert answers == [answers[0]] * 5


def test_system_text_folded_into_the_user_message_is_understood() -> None:
    body = {"messages": [{"role": "user", "content": "Language: English\n" + synthesize()}]}
    assert "stamps" in text_of(Simulator().answer(body)).casefold()


def test_a_corrected_answer_differs() -> None:
    prompt = synthesize()
    simulator = Simulator(SimulatorSettings(near=0))
    said = text_of(simulator.answer(request(prompt)))
    again = text_of(simulator.answer(request(prompt, ("assistant", said), ("user", "Too long."))))
    assert again != said
    assert "stamps" in again.casefold()


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("empty", lambda choice: choice["message"]["content"] == ""),
        ("null", lambda choice: choice["message"]["content"] is None),
        ("truncate", lambda choice: choice["finish_reason"] == "length"),
        ("think", lambda choice: choice["message"]["content"].startswith("<think>")),
        ("fence", lambda choice: choice["message"]["content"].startswith("```json")),
        ("prose", lambda choice: not choice["message"]["content"].startswith("{")),
        ("refusal", lambda choice: choice["message"]["refusal"]),
        ("garbage", lambda choice: "=>" in choice["message"]["content"]),
    ],
)
def test_spoiled_answers_heal_when_asked_again(kind: Any, seen: Any) -> None:
    simulator = Simulator(SimulatorSettings(faults={kind: 1.0}))
    body = request(blind("A text."), schema=READINGS)
    status, _, spoiled = post(simulator, body)
    assert status == 200
    assert seen(spoiled["choices"][0])
    assert simulator.stats.spoiled == 1
    healed = post(
        simulator,
        request(blind("A text."), ("assistant", "x"), ("user", "No."), schema=READINGS),
    )
    assert json_of(healed[2])["verdicts"]
    assert json_of(post(simulator, body)[2])["verdicts"]


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("500", 500), ("503", 503), ("html", 502), ("error200", 200)]
)
def test_faults_on_the_wire_hit_a_request_once(kind: Any, status: Any) -> None:
    simulator = Simulator(SimulatorSettings(faults={kind: 1.0}))
    body = request(synthesize())
    first = post(simulator, body)
    assert first[0] == status
    assert b"<html>" in first[2] if kind == "html" else first[2]["error"]["message"]
    if kind == "429":
        assert int(first[1]["retry-after"]) >= 1
    assert post(simulator, body)[2]["choices"]
    assert (simulator.stats.calls, simulator.stats.refused) == (1, 1)


def test_faults_hit_about_their_share() -> None:
    simulator = Simulator(SimulatorSettings(faults={"500": 0.2, "empty": 0.1}))
    for turn in range(400):
        post(simulator, request(f"Say {turn}."))
    assert 50 < simulator.stats.refused < 115
    assert 15 < simulator.stats.spoiled < 60


def test_slots_bound_what_is_in_the_making_and_latency_follows_the_request() -> None:
    async def run() -> Any:
        working, peak, slept = 0, 0, []

        async def sleep(seconds: Any) -> None:
            nonlocal working, peak
            working += 1
            peak = max(peak, working)
            slept.append(seconds)
            for _ in range(5):
                await asyncio.sleep(0)
            working -= 1

        simulator = Simulator(SimulatorSettings(latency=2.0, slots=3), sleep=sleep)
        async with asyncio.TaskGroup() as group:
            for turn in range(60):
                group.create_task(simulator.handle("POST", CHAT, {}, request(f"Say {turn}.")))
        return simulator.stats, peak, slept

    stats, peak, slept = asyncio.run(run())
    again, _, same = asyncio.run(run())
    assert peak == 3
    assert slept == same
    assert 1.3 < sum(slept) / len(slept) < 3.0
    assert stats.slot_seconds == pytest.approx(again.slot_seconds) == pytest.approx(sum(slept))


def test_canned_a_request_gets_the_bytes_that_it_got_before() -> None:
    simulator = Simulator(SimulatorSettings(canned=True))
    asked = json.dumps(request(synthesize())).encode()
    other = json.dumps(request(synthesize("glue."))).encode()
    first = post(simulator, asked)
    assert json.loads(post(simulator, asked)[2]) == first[2]
    assert post(simulator, other)[2] != first[2]
    assert simulator.stats.calls == 3


def test_models_stats_and_what_is_not_there() -> None:
    simulator = Simulator()

    def get(path: str) -> Any:
        return asyncio.run(simulator.handle("GET", path, {}, b""))

    assert get("/v1/models")[2]["data"][0]["id"] == "simulator"
    assert get("/stats")[2]["calls"] == 0
    assert get("/v1/nothing")[0] == 404
    assert post(simulator, b"{")[0] == 400
    assert post(simulator, b"[]")[0] == 400
    assert post(simulator, {"messages": "x"})[0] == 400
    assert post(simulator, {}, "/v1/else")[0] == 404


def test_embeddings_are_unit_vectors_near_where_words_are_shared() -> None:
    texts = ["a red boat on the lake", "a red boat on the river", "quarterly tax return"]
    rows = [row["embedding"] for row in post(Simulator(), {"input": texts}, "/v1/embeddings")[2]["data"]]

    def dot(one: list[float], other: list[float]) -> float:
        return sum(x * y for x, y in zip(one, other, strict=True))

    assert all(dot(row, row) == pytest.approx(1) for row in rows)
    assert dot(rows[0], rows[1]) > dot(rows[0], rows[2]) + 0.3


def test_url_switches() -> None:
    settings = from_url(
        "sim:?near=0.2&mislabel=0.3&latency=0.05&slots=8&faults=429:0.1,empty&accept-all=1"
    ).settings
    assert (settings.near, settings.mislabel, settings.latency, settings.slots) == (0.2, 0.3, 0.05, 8)
    assert settings.faults == {"429": 0.1, "empty": 0.1}
    assert settings.accept_all is True
    assert from_url("sim:").settings == SimulatorSettings()


MISTAKES = """sim:?naer=0.2 sim:?near=x sim:?near=2 sim:?faults=oops:1 sim:?faults=429:x sim:?slots=-1
sim:?faults=429:0.7,500:0.7 sim:?faults=reset:0.1 http://localhost sim:somewhere"""


@pytest.mark.parametrize("url", MISTAKES.split())
def test_url_mistakes_are_named(url: Any) -> None:
    with pytest.raises(InputError) as caught:
        from_url(url)
    assert str(caught.value)


def test_a_call_is_answered_in_the_tier_that_it_asks_for() -> None:
    plain = request(synthesize())
    simulator = Simulator()
    standard, flex = simulator.answer(plain), simulator.answer({**plain, "service_tier": "flex"})
    assert "service_tier" not in standard
    assert flex == {**standard, "service_tier": "flex"}
    assert simulator.answer({**plain, "service_tier": "auto"})["service_tier"] == "default"


def test_capacity_for_flex_is_missing_where_it_is_told_to_be() -> None:
    body = request(synthesize())
    simulator = Simulator(SimulatorSettings(faults={"flex_full": 1.0}))
    assert post(simulator, body)[0] == 200, "only flex has none"
    assert post(simulator, {**body, "service_tier": "flex"})[0] == 429
    assert simulator.stats.refused == 1
    again = post(simulator, {**body, "service_tier": "flex"})
    assert (again[0], again[2]["service_tier"]) == (200, "flex")
