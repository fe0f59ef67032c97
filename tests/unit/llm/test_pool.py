import asyncio
import random
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.pool import EndpointPool
from aide.llm.request import ChatRequest, EmbeddingRequest, Endpoint, ModelAnswer
from aide.llm.retry import with_retries
from aide.records import Message, Usage
from endpoints import clockwork
from endpoints.fake import FakeEndpoint, Said, completion, error

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def run(work: Coroutine[Any, Any, None]) -> None:
    """In time that jumps: nobody waits for a pause."""
    clockwork.run(work)


def asked(n: int = 0, **more: Any) -> ChatRequest:
    given: dict[str, Any] = {
        "step": "s",
        "model": "m",
        "messages": (Message("user", f"question {n}"),),
        "max_output": 50,
    }
    return ChatRequest(**{**given, **more})


def structured(n: int = 0, **more: Any) -> ChatRequest:
    return asked(n, schema_name="thing", schema=SCHEMA, **more)


def pool_of(*fakes: FakeEndpoint, ceiling: int = 8, model: str = "m", **endpoint: Any) -> EndpointPool:
    names = [f"e{i}" for i in range(len(fakes))]
    endpoints = [Endpoint(name, f"http://{name}/v1", **endpoint) for name in names]
    transports = {name: fake.transport() for name, fake in zip(names, fakes, strict=True)}
    return EndpointPool(
        endpoints,
        ceiling=ceiling,
        timeout=5.0,
        patience=300.0,
        model=model,
        transport=transports,
        clock=lambda: asyncio.get_running_loop().time(),
    )


async def together(pool: EndpointPool, *requests: ChatRequest) -> list[ModelAnswer]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pool.complete(request)) for request in requests]
    return [task.result() for task in tasks]


async def patiently(pool: EndpointPool, request: ChatRequest) -> ModelAnswer:
    async def sleep(seconds: float) -> None:
        with pool.stop.waiting():
            await asyncio.sleep(seconds)

    return await with_retries(
        lambda: pool.complete(request),
        health=pool.health,
        rng=random.Random(1),
        sleep=sleep,
        hold=lambda refusal: pool.hold(refusal, request),
    )


def test_an_answer_tells_all_that_is_known_of_it() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(completion("yes", id="x"))
        answer = await pool_of(fake).complete(asked(temperature=0.3))
        assert answer.data["choices"][0]["message"]["content"] == "yes"
        assert answer.body == completion("yes", id="x").content
        assert (answer.endpoint, answer.model) == ("e0", "fake-1")
        assert answer.sent == {"model": "m", "max_tokens": 50, "temperature": 0.3}
        assert answer.usage == Usage(1, 7, 3)
        assert answer.seconds >= 0

    run(work())


def test_the_model_that_was_asked_stands_where_none_is_named() -> None:
    async def work() -> None:
        said = dict(completion().body)
        del said["model"]
        assert (await pool_of(FakeEndpoint().say(Said(200, said))).complete(asked())).model == "m"

    run(work())


def test_an_endpoint_has_its_own_name_for_the_runs_model_only() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        pool = pool_of(fake, model="m")
        pool.workers[0].endpoint = Endpoint("e0", "http://e0/v1", model="org/m-8b")
        await pool.complete(asked())
        await pool.complete(asked(model="small"))
        assert [body["model"] for body in fake.bodies] == ["org/m-8b", "small"]

    run(work())


def only_json_object(body: Any) -> Said | None:
    """As llama-cpp-python: a format it does not know is a 500."""
    if body.get("response_format", {}).get("type") == "json_schema":
        return error(500, "1 validation error: loc: ('body', 'response_format', 'type')")
    return None


def test_a_lesson_is_learned_once_for_a_whole_herd() -> None:
    async def work() -> None:
        fake = FakeEndpoint(only_json_object)
        pool = pool_of(fake, ceiling=8)
        answers = await together(pool, *(structured(n) for n in range(30)))
        assert {answer.sent["rung"] for answer in answers} == {"object_schema"}
        assert len(fake.heard) == 30 + 2

    run(work())


def picky(body: Any) -> Said | None:
    """As a reasoning model: one parameter refused at a time."""
    if "max_tokens" in body:
        words = "Unsupported parameter: 'max_tokens' is not supported with this model. "
        words += "Use 'max_completion_tokens' instead."
        return error(400, words, param="max_tokens", code="unsupported_parameter")
    for name in ("temperature", "top_p"):
        if name in body:
            return error(
                400,
                f"Unsupported value: '{name}' does not support that",
                param=name,
                code="unsupported_value",
            )
    if body["messages"][0]["role"] == "system":
        return error(400, "System role not supported")
    return None


def test_parameters_are_learned_one_after_the_other_for_all() -> None:
    async def work() -> None:
        fake = FakeEndpoint(picky)
        pool = pool_of(fake)
        messages = (Message("system", "Be brief."), Message("user", "Go."))
        requests = [asked(n, messages=messages, temperature=0.5, top_p=0.9) for n in range(20)]
        answers = await together(pool, *requests)
        assert len(fake.heard) == 20 + 4
        assert answers[-1].sent == {"model": "m", "max_completion_tokens": 50}

    run(work())


def test_what_was_learned_is_kept_for_the_next_run() -> None:
    async def work() -> None:
        pool = pool_of(FakeEndpoint(only_json_object))
        await pool.complete(structured())
        fake = FakeEndpoint(only_json_object)
        later = pool_of(fake)
        later.import_profiles(pool.export_profiles())
        await together(later, *(structured(n) for n in range(5)))
        assert len(fake.heard) == 5
        other = pool_of(FakeEndpoint(only_json_object))
        other.import_profiles(
            {"e0": {"base_url": "http://elsewhere", "models": pool.export_profiles()["e0"]["models"]}}
        )
        assert other.export_profiles()["e0"]["models"] == {}
        other.import_profiles(
            {"e0": {"base_url": "http://e0/v1", "models": {"m": {"rung": "none such"}}}, "gone": 3}
        )

    run(work())


def test_a_format_that_is_accepted_and_ignored_is_left() -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: completion("prose"))
        pool = pool_of(fake)
        for n in range(3):
            answer = await pool.complete(structured(n))
            pool.note_invalid("m", endpoint=answer.endpoint, rung=answer.sent["rung"])
        assert (await pool.complete(structured(9))).sent["rung"] == "schema"
        for n in range(3):
            await pool.complete(structured(n))
            pool.note_invalid("m")
        assert (await pool.complete(structured(9))).sent["rung"] == "object_schema"

    run(work())


def test_one_poisoned_request_is_one_rejected_node() -> None:
    async def work() -> None:
        fake = FakeEndpoint(
            lambda body: error(400, "odd") if "poison" in body["messages"][-1]["content"] else None
        )
        pool = pool_of(fake)
        with pytest.raises(NodeError) as caught:
            await pool.complete(structured(messages=(Message("user", "poison"),)))
        assert (caught.value.reason, caught.value.failed) == ("bad_request", True)
        assert (await pool.complete(structured())).sent["rung"] == "strict"
        with pytest.raises(NodeError):
            await pool.complete(structured(messages=(Message("user", "poison"),)))
        assert len(fake.heard) == 5 + 1 + 1

    run(work())


def test_an_endpoint_that_refuses_everything_stops_the_run() -> None:
    async def work() -> None:
        pool = pool_of(FakeEndpoint(lambda body: error(400, "no idea")))
        for n in range(2):
            with pytest.raises(NodeError):
                await patiently(pool, asked(n))
        with pytest.raises(EndpointUnusable, match="no idea"):
            await patiently(pool, asked(3))

    run(work())


def test_a_field_of_the_persons_own_is_blamed_by_name() -> None:
    async def work() -> None:
        pool = pool_of(FakeEndpoint(lambda body: Said(422, {"detail": "Unexpected fields: {'guided_json'}"})))
        with pytest.raises(EndpointUnusable) as caught:
            await pool.complete(asked(extra={"guided_json": {}}))
        assert "--extra" in caught.value.hint

    run(work())


def test_concurrency_stays_under_the_ceiling_and_permits_come_back() -> None:
    async def work() -> None:
        fake = FakeEndpoint(
            lambda body: error(500, "boom") if "7" in body["messages"][0]["content"] else None
        )
        pool = pool_of(fake, ceiling=3)
        await pool.complete(asked())
        tasks = [asyncio.create_task(pool.complete(asked(n))) for n in range(40)]
        await asyncio.sleep(0)
        assert (pool.in_flight, pool.waiting, pool.limit) == (3, 37, 3)
        tasks[1].cancel()
        tasks[30].cancel()
        results = await asyncio.wait(tasks)
        assert not results[1]
        assert fake.peak <= 3
        assert (pool.in_flight, pool.waiting) == (0, 0)
        assert sum(1 for t in tasks if not t.cancelled() and t.exception() is None) == 34
        assert pool.collect_stats()["e0"]["errors"] == {"server": 4}

    run(work())


def test_answers_that_are_not_safe_yet_hold_back_all_but_an_eighth_more() -> None:
    async def work() -> None:
        fake, safe, full = FakeEndpoint(), asyncio.Event(), asyncio.Event()
        came = kept = 0

        async def keep(answer: ModelAnswer) -> None:
            nonlocal came, kept
            came += 1
            if came == 9:
                full.set()
            await safe.wait()
            kept += 1

        pool = pool_of(fake, ceiling=8)
        await pool.complete(asked())
        tasks = [asyncio.create_task(pool.complete(asked(n), keep=keep)) for n in range(20)]
        await full.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert (pool.in_flight, len(fake.bodies), kept) == (0, 10, 0)
        safe.set()
        await asyncio.wait(tasks)
        assert (len(fake.bodies), kept) == (21, 20)

    run(work())


def test_lower_ranks_go_first_and_equals_in_order() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        pool = pool_of(fake, ceiling=1)
        async with asyncio.TaskGroup() as group:
            for n, rank in enumerate((0, 4, 1, 4, 0, 1)):
                group.create_task(pool.complete(asked(n), rank=rank))
        order = [int(body["messages"][0]["content"].split()[1]) for body in fake.bodies]
        assert order == [0, 4, 2, 5, 1, 3]

    run(work())


def test_a_wait_for_the_endpoint_is_ended_by_time_not_by_other_calls() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        pool = pool_of(fake)
        pool.workers[0].limiter.pause_starts(0.01)
        assert (await pool.complete(asked())).model == "fake-1"

    run(work())


def test_remaining_zero_holds_further_starts() -> None:
    async def work() -> None:
        told = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "50s"}
        pool = pool_of(FakeEndpoint().say(Said(200, completion().body, told)))
        await pool.complete(asked())
        assert 49 < pool.workers[0].limiter.compute_wait() <= 50

    run(work())


def test_the_least_busy_endpoint_is_asked() -> None:
    async def work() -> None:
        fakes = [FakeEndpoint(), FakeEndpoint()]
        await together(pool_of(*fakes), *(asked(n) for n in range(20)))
        assert all(8 <= len(fake.heard) <= 12 for fake in fakes)

    run(work())


def test_one_endpoint_dies_and_the_other_goes_on() -> None:
    async def work() -> None:
        dying, sound = FakeEndpoint(), FakeEndpoint()
        pool = pool_of(dying, sound)
        await together(pool, *(asked(n) for n in range(10)))
        dying.rule = lambda body: Said(drop=True)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(patiently(pool, asked(n))) for n in range(60)]
        assert all(task.result().endpoint in ("e0", "e1") for task in tasks)
        stats = pool.collect_stats()
        assert stats["e0"]["errors"]["connection"] < 30, "a dead endpoint is soon left alone"
        assert stats["e0"]["calls"] + stats["e1"]["calls"] == 70

    run(work())


def test_a_bad_key_at_one_endpoint_is_made_up_for_by_the_other() -> None:
    async def work() -> None:
        locked, sound = FakeEndpoint(lambda body: error(401, "no")), FakeEndpoint()
        pool = pool_of(locked, sound)
        answers = await together(pool, *(asked(n) for n in range(20)))
        assert {answer.endpoint for answer in answers} == {"e1"}
        assert "refused" in pool.collect_stats()["e0"]["unusable"]
        sound.rule = lambda body: error(401, "no")
        with pytest.raises(EndpointUnusable):
            await patiently(pool, asked())

    run(work())


@pytest.mark.parametrize(
    "said",
    [
        error(401, "bad key"),
        error(404, "The model `m` does not exist", code="model_not_found"),
        error(429, "quota", code="insufficient_quota"),
    ],
)
def test_what_no_wait_heals_stops_at_the_first_call(said: Said) -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: said)
        with pytest.raises(EndpointUnusable):
            await patiently(pool_of(fake), asked())
        assert len([heard for heard in fake.heard if heard.body]) == 1

    run(work())


@pytest.mark.parametrize(
    "said",
    [
        Said(200, {"id": "x", "error": {"message": "broke"}}),
        Said(200, b"  \n "),
        Said(200, {"choices": []}),
        Said(200, completion().content[:30]),
        Said(200, completion().body, cut=10),
        Said(502, b"<html><title>502 Bad Gateway</title></html>"),
        Said(drop=True),
        Said(hang=True),
        error(429, "slow down", headers={"retry-after": "1"}),
        error(402, "wait", headers={"retry-after": "1"}),
        error(503, "busy"),
    ],
)
def test_a_failed_attempt_heals(said: Said) -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(said)
        answer = await patiently(pool_of(fake), asked())
        assert answer.data["choices"]
        assert len(fake.heard) == 2

    run(work())


def test_a_permanent_fault_sent_as_5xx_costs_two_calls() -> None:
    async def work() -> None:
        fake = FakeEndpoint(
            lambda body: error(500, "boom") if "66" in body["messages"][0]["content"] else None
        )
        pool = pool_of(fake)
        await pool.complete(asked())
        with pytest.raises(NodeError) as caught:
            await patiently(pool, asked(66))
        assert (caught.value.reason, caught.value.failed) == ("server_fault", True)
        assert len(fake.heard) == 3

    run(work())


def test_a_gateways_fallback_is_told_by_the_answer() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(completion("x", model="other-model"))
        assert (await pool_of(fake).complete(asked())).model == "other-model"

    run(work())


def test_an_embedding_sends_a_model_and_texts_and_nothing_else() -> None:
    async def work() -> None:
        vectors = Said(200, {"data": [{"embedding": [1.0, 0.0]}], "usage": {"prompt_tokens": 5}})
        fake = FakeEndpoint().say(vectors, vectors)
        pool = pool_of(fake)
        answer = await pool.complete(EmbeddingRequest("small", ("one",)))
        await pool.complete(EmbeddingRequest("small", ("one", "two")))
        assert [heard.path for heard in fake.heard] == ["/v1/embeddings"] * 2
        assert fake.bodies == [
            {"model": "small", "input": "one"},
            {"model": "small", "input": ["one", "two"]},
        ]
        assert (answer.usage.prompt, answer.usage.completion) == (5, 0)

    run(work())


def test_usage_that_is_missing_is_estimated() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(completion("four char", usage=None))
        answer = await pool_of(fake).complete(asked())
        assert answer.usage == Usage(1, 3, 3, estimated=1)

    run(work())


def test_two_runs_against_a_real_socket_lose_nothing() -> None:
    """Two loopback servers, one dies half-way: every call is answered."""

    async def work() -> None:
        first, second = FakeEndpoint(), FakeEndpoint()
        async with second.serve() as two:
            async with first.serve() as one:
                pool = EndpointPool(
                    [Endpoint("one", one), Endpoint("two", two)],
                    ceiling=8,
                    timeout=5.0,
                    patience=60.0,
                    model="m",
                )
                done = await together(pool, *(asked(n) for n in range(30)))
            first.rule = lambda body: Said(drop=True)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(patiently(pool, asked(n))) for n in range(30)]
            done += [task.result() for task in tasks]
            await pool.close()
        assert len(done) == 60
        assert {answer.endpoint for answer in done} == {"one", "two"}

    asyncio.run(work())


def test_closing_ends_those_who_wait() -> None:
    async def work() -> None:
        pool = pool_of(FakeEndpoint())
        pool.workers[0].limiter.pause_starts(50.0)
        task = asyncio.create_task(pool.complete(asked()))
        await asyncio.sleep(0)
        await pool.close()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())


def test_errors_keep_their_scope() -> None:
    async def work() -> None:
        cases: Mapping[str, Said] = {
            "call": error(503, "busy"),
            "node": error(400, "x", code="content_filter"),
            "run": error(401, "no"),
        }
        for scope, said in cases.items():
            with pytest.raises(AideError) as caught:
                await pool_of(FakeEndpoint().say(said)).complete(asked())
            assert caught.value.scope == scope
            assert isinstance(caught.value, CallError) == (scope == "call")

    run(work())
