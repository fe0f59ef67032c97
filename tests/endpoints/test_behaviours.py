"""What endpoints do that breaks a naive client: each is scheduled in the fake endpoint and followed to its outcome.

An outcome is what the caller gets, what went over the wire, and what was paid for (the journal).
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from aide.errors import AideError, EndpointUnusable, NodeError, Unusable
from aide.llm.doctor import examine_endpoint
from aide.llm.pool import EndpointPool
from aide.llm.request import ChatRequest, Endpoint
from aide.llm.retry import with_retries
from aide.records import Message, rng
from endpoints import clockwork
from endpoints.fake import FakeEndpoint, Said, completion, error
from endpoints.scene import COUNT, Scene, play, pool_of

GOOD = '{"count": 3}'
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def last(body: Any) -> str:
    """What a request asks last."""
    return str(body["messages"][-1]["content"])


def turned_down(part: Any, folder: Path, fake: FakeEndpoint) -> tuple[AideError, Scene]:
    """The error that ends a part, and the scene it ended."""
    caught: list[AideError] = []

    async def whole(scene: Scene) -> None:
        with pytest.raises(AideError) as error:
            await part(scene)
        caught.append(error.value)

    scene = play(folder, fake, whole)
    return caught[0], scene


# --- 1: a 200 without a usable answer -----------------------------------------------------------

NO_MESSAGE = [
    {"id": "gen-1", "error": {"message": "Provider returned error", "code": 502}},
    {"error": "provider gone"},
    {"code": 500, "message": "worker lost"},
    b" \n \n\n ",
    b"    .",
    b"",
    {"choices": []},
    {"choices": None, "model": "x"},
    {"model": "x"},
    {"choices": [{"index": 0, "finish_reason": "error", "error": {"message": "cut", "code": 502}}]},
    {"choices": [{"index": 0}]},
    [{"choices": []}],
]


@pytest.mark.parametrize("body", NO_MESSAGE)
def test_a_200_without_a_message_is_a_failed_attempt_and_not_paid(body: Any, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask() == "seven"

    fake = FakeEndpoint().say(Said(200, body), completion("seven"))
    scene = play(tmp_path, fake, part)
    assert len(fake.heard) == 2
    assert fake.bodies[0] == fake.bodies[1]
    assert len(scene.paid) == 1
    assert len(scene.waits) == 1


@pytest.mark.parametrize("content", [None, "", "   \n\n  "])
def test_a_blank_message_is_paid_and_asked_again_in_other_words(content: Any, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask() == "seven"

    fake = FakeEndpoint().say(completion(content), completion("seven"))
    scene = play(tmp_path, fake, part)
    assert len(scene.paid) == 2
    assert "empty" in last(fake.bodies[1])
    assert scene.failed == {}


# --- 2: parameters that are accepted and ignored ------------------------------------------------


def test_an_ignored_response_format_is_found_out_by_what_comes_and_never_asked_for_again(
    tmp_path: Path,
) -> None:
    def only_told(body: Any) -> Said:
        told = any("fit this JSON Schema" in message["content"] for message in body["messages"])
        return completion(GOOD if told else "There are three of them.")

    async def part(scene: Scene) -> None:
        with pytest.raises(Unusable):
            await scene.ask("bag", COUNT)
        before = len(fake.heard)
        for number in range(20):
            assert await scene.ask(f"sack {number}", COUNT) == 3
        assert len(fake.heard) == before + 1 + 20, "more than one record pays for what one has found out"

    fake = FakeEndpoint(only_told)
    scene = play(tmp_path, fake, part)
    assert scene.pool.collect_stats()["e0"]["rungs"] == {"m": "object_schema"}
    assert all(not {"n", "guided_json", "logprobs", "stream"} & set(body) for body in fake.bodies)


def test_an_ignored_limit_of_output_costs_no_record(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert len(await scene.ask()) == 4000

    words = "x" * 4000
    usage = {"prompt_tokens": 7, "completion_tokens": 668, "total_tokens": 675}
    scene = play(tmp_path, FakeEndpoint().say(completion(words, usage=usage)), part)
    assert scene.budget.spent.completion == 668


# --- 3: status codes that lie -------------------------------------------------------------------


def test_a_format_refused_as_a_500_costs_one_call_of_the_whole_run(tmp_path: Path) -> None:
    def only_object(body: Any) -> Said | None:
        if body.get("response_format", {}).get("type") == "json_schema":
            return error(500, "1 validation error: {'loc': ('body', 'response_format', 'type')}", code=None)
        return completion(GOOD)

    async def part(scene: Scene) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(scene.ask(f"bag {number}", COUNT))

    fake = FakeEndpoint(only_object)
    scene = play(tmp_path, fake, part)
    assert len(fake.heard) == 30 + 2  # one for each rung of `json_schema`
    assert scene.waits == []


def test_a_request_that_gets_the_same_500_twice_is_one_failed_record(tmp_path: Path) -> None:
    def poisoned(body: Any) -> Said | None:
        return Said(500, b"Internal Server Error") if "poison" in last(body) else None

    async def part(scene: Scene) -> None:
        await scene.ask("bread")
        with pytest.raises(NodeError) as caught:
            await scene.ask("poison")
        assert (caught.value.reason, caught.value.failed) == ("server_fault", True)
        await scene.ask("wine")

    fake = FakeEndpoint(poisoned)
    scene = play(tmp_path, fake, part)
    assert len(fake.heard) == 2 + 2
    assert len(scene.paid) == 2


def test_a_spent_quota_sent_as_429_stops_at_once(tmp_path: Path) -> None:
    fake = FakeEndpoint(lambda body: error(429, "You exceeded your current quota", code="insufficient_quota"))
    stopped, scene = turned_down(lambda scene: scene.ask(), tmp_path, fake)
    assert isinstance(stopped, EndpointUnusable)
    assert "quota" in str(stopped)
    assert "top up" in stopped.hint
    assert (len(fake.heard), scene.waits) == (1, [])


def test_a_402_that_names_a_time_is_waited_for(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask() == "hello"

    fake = FakeEndpoint().say(error(402, "add credits", headers={"retry-after": "7"}))
    scene = play(tmp_path, fake, part)
    assert len(scene.waits) == 1
    assert 7 <= scene.waits[0] <= 8


# --- 4: error bodies of every shape -------------------------------------------------------------

RPM = "litellm.RateLimitError: Model rate limit exceeded. RPM limit=40, current usage=41"
IN_WORDS = json.dumps({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}})
HEALS = [
    (429, {"error": {"message": RPM, "type": "throttling_error", "param": "None", "code": "429"}}),
    (500, {"error": {"message": "Connection error.", "type": None, "param": None, "code": "500"}}),
    (503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}),
    (503, {"error": "server busy, please try again.  maximum pending requests exceeded"}),
    (429, {"error": "Model is overloaded", "error_type": "overloaded"}),
    (424, {"error": "Request failed during generation", "error_type": "generation"}),
    (503, {"object": "error", "message": "The request queue is full.", "type": "x", "code": 503}),
    (429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Resource exhausted"}}]),
    (503, {"error": {"message": IN_WORDS, "code": 503, "status": "Service Unavailable"}}),
    (500, {"status": "failure", "message": "Invalid response received from openai"}),
    (500, {"html-message": "Message: fetch failed<br>"}),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (498, {"error": {"message": "capacity", "code": "capacity_exceeded"}}),
    (500, b"Internal Server Error"),
    (502, HTML),
    (503, b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"),
    (504, b"<html><head><title>504 Gateway Time-out</title></head></html>"),
    (520, b"<!DOCTYPE html><title>example.com | 520: Web server is returning an unknown error</title>"),
    (200, {"id": "gen", "error": {"message": "upstream", "code": 502}}),
    (400, {"error": {"message": "Failed to generate JSON.", "code": "json_validate_failed", "failed_generation": "{"}}),
]  # fmt: skip
ENDS_THE_RECORD = [
    (400, {"error": {"message": "Invalid 'messages[1]'", "type": "invalid_request_error", "param": "m", "code": None}},
     "bad_request"),
    (400, {"object": "error", "message": "flat", "type": "BadRequestError", "param": None, "code": 40001},
     "bad_request"),
    (422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]}, "bad_request"),
    (422, {"error": "Input validation error", "error_type": "validation"}, "bad_request"),
    (400, {"status": "failure", "message": "x-portkey-provider header is required"}, "bad_request"),
    (400, b"", "bad_request"),
    (400, b"plain words \x1b[31m\x00\xff", "bad_request"),
    (400, {"error": {"message": "The response was filtered", "type": None, "param": "prompt", "code": "content_filter",
                     "status": 400}}, "filtered"),
    (403, {"error": {"code": 403, "message": "m requires moderation", "metadata": {"reasons": ["x"]}}}, "filtered"),
    (413, b"<html><head><title>413 Request Entity Too Large</title></head></html>", "context_too_long"),
]  # fmt: skip
ENDS_THE_RUN = [
    (401, {"error": "Unauthorized"}, "key"),
    (401, {"detail": "Invalid API key"}, "key"),
    (401, b"", "key"),
    (400, {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}}, "key"),
    (400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}], "key"),
    (404, {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404},
     "model"),
    (404, {"error": {"message": 'model "m" not found, try pulling it first', "type": "api_error"}}, "model"),
    (404, {"detail": "Not Found"}, "no chat completions"),
    (405, {"detail": "Method Not Allowed"}, "no chat completions"),
    (301, b"<html><head><title>301 Moved Permanently</title></head></html>", "redirects"),
    (403, {"error": {"message": "Country not supported", "code": "unsupported_country"}}, "denied"),
    (200, {"code": "rate_limit_daily", "message": "Daily limit reached, come back tomorrow"}, "quota"),
    (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}},
     "quota"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), HEALS)
def test_a_fault_of_the_moment_is_tried_again(status: int, body: Any, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask() == "hello"

    fake = FakeEndpoint().say(Said(status, body))
    scene = play(tmp_path, fake, part)
    assert (len(fake.heard), len(scene.paid), sum(scene.failed.values())) == (2, 1, 1)


@pytest.mark.parametrize(("status", "body", "reason"), ENDS_THE_RECORD)
def test_a_fault_of_the_request_ends_its_record_alone(
    status: int, body: Any, reason: str, tmp_path: Path
) -> None:
    async def part(scene: Scene) -> None:
        await scene.ask("bread")
        with pytest.raises(NodeError) as caught:
            await scene.ask("poison")
        assert caught.value.reason == reason
        assert str(caught.value).isprintable()
        assert await scene.ask("wine") == "hello"

    fake = FakeEndpoint(lambda asked: Said(status, body) if "poison" in last(asked) else None)
    scene = play(tmp_path, fake, part)
    assert (len(fake.heard), len(scene.paid), scene.waits) == (3, 2, [])


@pytest.mark.parametrize(("status", "body", "word"), ENDS_THE_RUN)
def test_a_fault_of_the_whole_run_stops_it_at_once(status: int, body: Any, word: str, tmp_path: Path) -> None:
    fake = FakeEndpoint(lambda asked: Said(status, body))
    stopped, scene = turned_down(lambda scene: scene.ask(), tmp_path, fake)
    assert isinstance(stopped, EndpointUnusable)
    assert word in str(stopped)
    assert stopped.hint
    asked = [heard for heard in fake.heard if heard.body]  # besides, it may be asked which models there are
    assert (len(asked), scene.waits) == (1, [])


# --- 5: a kept connection that dies -------------------------------------------------------------


def test_connections_that_die_between_calls_cost_neither_a_wait_nor_a_record(tmp_path: Path) -> None:
    """On a real socket: idle ones that the server closed, and the one that a 500 leaves broken."""
    fake = FakeEndpoint()

    async def whole() -> Scene:
        async with fake.serve() as url:
            pool = EndpointPool([Endpoint("e0", url)], ceiling=4, timeout=30.0, patience=60.0, model="m")
            scene = Scene(tmp_path, pool)
            await scene.ask("one")
            fake.say(Said(drop=True))
            await scene.ask("two")
            fake.say(Said(500, b"Internal Server Error"), Said(drop=True))
            await scene.ask("three")
            fake.say(Said(200, completion().body, cut=20))
            await scene.ask("four")
            scene.journal.close()
            await pool.close()
        return scene

    scene = asyncio.run(whole())
    assert scene.failed == {"server": 1}
    assert len(scene.waits) == 1
    assert len(fake.heard) == 4 + 4


# --- 6: a prompt that is too long ---------------------------------------------------------------

TOO_LONG = [
    (400, "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049"),
    (400, "request (40974 tokens) exceeds the available context size (2048 tokens), try increasing it"),
    (400, "The input (9 tokens) is longer than the model's context length (8 tokens)."),
    (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4090 and 20"),
    (400, "Prompt contains 66385 tokens, too large for model with 32768 maximum context length"),
    (400, "litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException"),
    (500, "Trying to keep the first 4811 tokens when context the overflows"),
    (200, "Trying to keep the first 4811 tokens when context the overflows"),
]


@pytest.mark.parametrize(("status", "words"), TOO_LONG)
def test_a_prompt_that_does_not_fit_is_told_and_never_repeated(
    status: int, words: str, tmp_path: Path
) -> None:
    async def part(scene: Scene) -> None:
        with pytest.raises(NodeError) as caught:
            await scene.ask("a book")
        assert caught.value.reason == "context_too_long"
        assert await scene.ask("a page") == "hello"

    fake = FakeEndpoint(lambda body: error(status, words) if "book" in last(body) else None)
    assert len(play(tmp_path, fake, part).paid) == 1
    assert len(fake.heard) == 2


def test_a_prompt_that_is_cut_in_silence_is_found_out_before_the_run() -> None:
    def narrow(body: Any) -> Said:
        length = 0 if body is None else sum(len(message["content"]) for message in body["messages"]) // 4
        usage = {"prompt_tokens": min(length, 2048), "completion_tokens": 3}
        structured = body is not None and "response_format" in body
        return completion('{"city": "Lima", "inhabitants": 9, "coastal": true}' if structured else "ready",
                          usage=usage)  # fmt: skip

    found = asyncio.run(
        examine_endpoint(
            Endpoint("e", "http://h:11434/v1"), "m", transport=FakeEndpoint(narrow).transport(), clock=time.monotonic
        )
    )  # fmt: skip
    assert not found.usable
    assert "silently cut" in next(each.told for each in found.findings if each.name == "context")


# --- 7: legal whitespace without end, control characters ----------------------------------------


def test_whitespace_up_to_the_limit_is_asked_again_with_twice_the_room(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask(payload=COUNT) == 3

    fake = FakeEndpoint().say(completion('{"count":' + "\n  " * 200, finish="length"), completion(GOOD))
    scene = play(tmp_path, fake, part)
    assert [body["max_tokens"] for body in fake.bodies] == [50, 100]
    assert fake.bodies[0]["messages"] == fake.bodies[1]["messages"]
    assert len(scene.paid) == 2
    assert scene.pool.collect_stats()["e0"]["rungs"] == {"m": "strict"}, (
        "a cut answer says nothing of the format"
    )


def test_what_is_cut_twice_is_given_up_and_never_repaired(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        with pytest.raises(Unusable) as caught:
            await scene.ask(payload=COUNT)
        assert caught.value.reason == "truncated"

    cut = completion('{"count": 3', finish="length")
    assert len(play(tmp_path, FakeEndpoint().say(cut, cut), part).paid) == 2


def test_raw_control_characters_in_strings_and_around_are_read_and_dropped(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask(payload=COUNT) == 3
        assert await scene.ask("hats") == "red hats"

    fake = FakeEndpoint().say(
        completion('{"note": "a\nb\t\x01", "count": 3,}'), completion("\x1b[31mred\x1b[0m \x00hats\ufeff")
    )
    assert len(play(tmp_path, fake, part).paid) == 2


# --- 8: thinking ---------------------------------------------------------------------------------

THOUGHTFUL = [
    completion(None, message={"reasoning": GOOD}),
    completion("", message={"reasoning_content": GOOD}),
    completion(f"I count {{them}}.</think>\n{GOOD}"),
    completion(f"<think>I count {{them}}.</think>\n{GOOD}"),
    completion(GOOD, message={"reasoning_content": "one, two, three"}),
]


@pytest.mark.parametrize("said", THOUGHTFUL)
def test_the_answer_is_found_wherever_the_thinking_stands(said: Said, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask(payload=COUNT) == 3

    fake = FakeEndpoint().say(said)
    assert len(play(tmp_path, fake, part).paid) == 1


@pytest.mark.parametrize(
    "said",
    [
        completion(None, finish="length", message={"reasoning": "first I"}),
        completion("<think>first I", finish="length"),
    ],
)
def test_thinking_that_took_the_whole_room_is_given_room_of_its_own(said: Said, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask(payload=COUNT) == 3

    fake = FakeEndpoint().say(said, completion(GOOD))
    play(tmp_path, fake, part)
    assert [body["max_tokens"] for body in fake.bodies] == [50, 100 + 100]
    assert all("first I" not in json.dumps(body) for body in fake.bodies), "thinking is never sent back"


def think(tokens: int) -> Any:
    """A model that spends so many tokens on thoughts before three of an answer."""

    def rule(body: Any) -> Said:
        left = body["max_tokens"] - tokens
        usage = {"prompt_tokens": 7, "completion_tokens": min(body["max_tokens"], tokens + 3)}
        usage["completion_tokens_details"] = {"reasoning_tokens": min(body["max_tokens"], tokens)}
        if left < 3:
            return completion("", finish="length", message={"reasoning_content": "hm "}, usage=usage)
        return completion(GOOD, message={"reasoning_content": "hm "}, usage=usage)

    return rule


def test_room_for_thinking_is_learned_once_and_kept_for_the_model(tmp_path: Path) -> None:
    """Three attempts at one call find out how much; then none is cut, in this session and in the next."""
    fake = FakeEndpoint(think(600))

    async def first(scene: Scene) -> Any:
        for about in ("apples", "pears", "plums", "figs"):
            assert await scene.ask(about, payload=COUNT) == 3
        assert scene.pool.count_thinking("m") >= 600
        return scene.pool.export_profiles()

    async def keep(scene: Scene) -> None:
        kept.update(await first(scene))

    kept: dict[str, Any] = {}
    play(tmp_path / "one", fake, keep)
    limits = [body["max_tokens"] for body in fake.bodies]
    cut = sum(limit < 603 for limit in limits)
    assert (cut, len(limits)) == (3, 7)
    again = FakeEndpoint(think(600))

    async def later(scene: Scene) -> None:
        scene.pool.import_profiles(kept)
        assert await scene.ask("apples", payload=COUNT) == 3

    play(tmp_path / "two", again, later)
    assert len(again.bodies) == 1
    assert again.bodies[0]["max_tokens"] <= 16_384 + 50


def test_who_never_thinks_keeps_its_limits(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        for about in ("apples", "pears"):
            assert await scene.ask(about, payload=COUNT) == 3

    fake = FakeEndpoint(lambda body: completion(GOOD))
    play(tmp_path, fake, part)
    assert [body["max_tokens"] for body in fake.bodies] == [50, 50]


def test_thinking_without_end_is_given_room_up_to_a_bound(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        for number in range(12):
            with pytest.raises(Unusable):
                await scene.ask(str(number), payload=COUNT)

    fake = FakeEndpoint(think(10**6))
    play(tmp_path, fake, part)
    assert max(body["max_tokens"] for body in fake.bodies) == 16_384 + 100


def test_a_thought_without_an_answer_is_asked_again(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask(payload=COUNT) == 3

    fake = FakeEndpoint().say(completion("<think>I count them"), completion(GOOD))
    assert len(play(tmp_path, fake, part).paid) == 2


# --- 9: parameters that are refused one at a time -----------------------------------------------


def test_refused_parameters_are_learned_one_by_one_for_that_model_only(tmp_path: Path) -> None:
    def picky(body: Any) -> Said | None:
        if body["model"] != "m":
            return None
        if "max_tokens" in body:
            words = "Unsupported parameter: 'max_tokens' is not supported with this model. "
            words += "Use 'max_completion_tokens' instead."
            return error(400, words, param="max_tokens", code="unsupported_parameter")
        for name in ("temperature", "top_p", "seed"):
            if name in body:
                words = f"Unsupported value: '{name}' does not support this with this model."
                return error(400, words, param=name, code="unsupported_value")
        return None

    fake = FakeEndpoint(picky)
    pool = pool_of(fake)

    def asked(model: str, number: int) -> ChatRequest:
        words = (Message("user", f"question {number}"),)
        return ChatRequest("s", model, words, 50, temperature=0.2, top_p=0.9, seed=4)

    async def whole() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(pool.complete(asked("m", number)))
                group.create_task(pool.complete(asked("other", number)))

    asyncio.run(whole())
    assert len(fake.heard) == 40 + 4
    other = [body for body in fake.bodies if body["model"] == "other"]
    assert all({"max_tokens", "temperature", "top_p", "seed"} <= set(body) for body in other)


# --- 10: waits in unlike spellings --------------------------------------------------------------

WAITS = [
    ({"retry-after-ms": "40000"}, {}, 40),
    ({"retry-after": "59"}, {}, 59),
    ({"retry-after": "6m0s"}, {}, 360),
    ({"retry-after": "Fri, 20 Nov 2026 10:00:25 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, {}, 25),
    ({"llm_provider-retry-after": "60"}, {}, 60),
    ({}, {"details": [{"@type": "RetryInfo", "retryDelay": "37s"}]}, 37),
    ({}, {"message": "Rate limit reached. Please try again in 7.66s."}, 7.66),
    ({"retry-after": "-1"}, {}, 0),
    ({}, {}, 0),
]


@pytest.mark.parametrize(("headers", "told", "seconds"), WAITS)
def test_a_wait_that_is_named_is_kept_to_and_hardly_more(
    headers: dict[str, str], told: dict[str, Any], seconds: float
) -> None:
    fake = FakeEndpoint().say(Said(429, {"error": {"message": "slow down", "code": 429, **told}}, headers))

    async def whole() -> float:
        loop = asyncio.get_running_loop()
        pool = pool_of(fake, clock=loop.time)
        pool.health.patience = 1000.0
        question = ChatRequest("s", "m", (Message("user", "how many?"),), 50)
        await with_retries(lambda: pool.complete(question), health=pool.health, rng=rng("jitter"))
        return loop.time()

    passed = clockwork.run(whole())
    assert seconds <= passed <= seconds + 1.5
    assert len(fake.heard) == 2


# --- 11: servers that drip, and servers that fall silent ----------------------------------------


@pytest.mark.parametrize(
    "said", [Said(hang=True), Said(200, completion().body, drip=b"\n" * 10_000, gap=0.02)]
)
def test_neither_silence_nor_dripping_holds_a_call_for_ever(said: Said, tmp_path: Path) -> None:
    """On a real socket, with a timeout of a fifth of a second; bytes come oftener than that."""
    fake = FakeEndpoint().say(completion(), said)

    async def whole() -> Scene:
        async with fake.serve() as url:
            pool = EndpointPool([Endpoint("e0", url)], ceiling=4, timeout=0.2, patience=60.0, model="m")
            scene = Scene(tmp_path, pool)
            await scene.ask("one")
            assert await scene.ask("two") == "hello"
            scene.journal.close()
            await pool.close()
        return scene

    assert asyncio.run(whole()).failed == {"timeout": 1}


def test_what_drips_before_an_answer_in_time_is_no_fault(tmp_path: Path) -> None:
    fake = FakeEndpoint().say(Said(200, completion().body, drip=b"\n \n  \n"))

    async def whole() -> Scene:
        async with fake.serve() as url:
            pool = EndpointPool([Endpoint("e0", url)], ceiling=4, timeout=30.0, patience=60.0, model="m")
            scene = Scene(tmp_path, pool)
            assert await scene.ask() == "hello"
            scene.journal.close()
            await pool.close()
        return scene

    assert asyncio.run(whole()).failed == {}


# --- 12: another model answers ------------------------------------------------------------------


def test_the_model_that_really_answered_is_kept_with_the_call_and_the_record(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        asker = scene.ask_for("node")
        await asker("extract", COUNT, max_output=50, about="apples")
        assert asker.models == {"extract": "spare-7b"}

    headers = {"x-litellm-attempted-fallbacks": "1", "x-litellm-model-group": "spare"}
    fake = FakeEndpoint().say(Said(200, completion(GOOD, model="spare-7b").body, headers))
    call = play(tmp_path, fake, part).paid[0]
    assert (call.model, call.answered_by) == ("m", "spare-7b")


# --- 13: no limit at all ------------------------------------------------------------------------


def test_a_server_that_queues_for_ever_is_met_at_the_pace_it_can_keep() -> None:
    """Eight slots, two seconds an answer, two thousand callers, and a queue that never says no."""
    fake = FakeEndpoint(slots=8, seconds=2.0)

    async def whole() -> float:
        loop = asyncio.get_running_loop()
        pool = pool_of(fake, ceiling=256, timeout=120.0, clock=loop.time)
        questions = [ChatRequest("s", "m", (Message("user", f"how many {n}?"),), 50) for n in range(2000)]
        async with asyncio.TaskGroup() as group:
            for question in questions:
                group.create_task(pool.complete(question))
        assert pool.collect_stats()["e0"]["errors"] == {}
        return loop.time()

    passed = clockwork.run(whole())
    assert fake.peak <= 4 * 8, "they stand in line at the server, and a slow one lets them time out together"
    assert passed <= 1.1 * 2000 / 8 * 2.0


# --- 14: usage that is missing, partial or invented ---------------------------------------------

USAGES = [
    (None, 1),
    ({}, 1),
    ("many", 1),
    ({"prompt_tokens": None, "completion_tokens": None}, 1),
    ({"prompt_tokens": -5, "completion_tokens": 1e30}, 1),
    ({"prompt_tokens": 12}, 1),
    ({"prompt_tokens": 12, "completion_tokens": 0}, 1),
    ({"prompt_tokens": 12, "completion_tokens": 4, "completion_tokens_details": None}, 0),
    ({"prompt_tokens": 12, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 999}}, 0),
]


@pytest.mark.parametrize(("told", "estimated"), USAGES)
def test_a_cap_on_money_works_whatever_is_told_of_tokens(told: Any, estimated: int, tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        assert await scene.ask() == "seven apples"

    fake = FakeEndpoint().say(completion("seven apples", usage=told))
    scene = play(tmp_path, fake, part, price="10/10", max_cost=1.0)
    spent = scene.budget.spent
    assert spent.estimated == estimated
    assert 0 < spent.prompt < 100
    assert 0 < spent.completion < 100
    assert spent.cached <= spent.prompt
    assert 0 < scene.budget.money < 0.01


# --- 15: what a status says of capabilities -----------------------------------------------------


@pytest.mark.parametrize(
    "models", [Said(500, b"Internal Server Error"), Said(200, [{"id": "m"}]), Said(404, b""), Said(200, b"")]
)
def test_lists_of_models_decide_nothing(models: Said) -> None:
    def rule(body: Any) -> Said:
        if body is None:
            return models
        return completion(
            '{"city": "Lima", "inhabitants": 9, "coastal": true}' if "response_format" in body else "ready"
        )

    fake = FakeEndpoint(rule)
    endpoint = Endpoint("e", "http://h/v1")
    found = asyncio.run(examine_endpoint(endpoint, "m", transport=fake.transport(), clock=time.monotonic))
    assert found.usable, found.findings
    assert next(each.told for each in found.findings if each.name == "structure") == "strict"


def test_a_run_asks_for_completions_and_for_nothing_else(tmp_path: Path) -> None:
    async def part(scene: Scene) -> None:
        for number in range(5):
            await scene.ask(f"bag {number}")

    fake = FakeEndpoint()
    play(tmp_path, fake, part)
    assert {heard.path for heard in fake.heard} == {"/v1/chat/completions"}
    assert len(fake.heard) == 5
