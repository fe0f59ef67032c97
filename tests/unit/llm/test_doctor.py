"""What doctor finds out of endpoints that behave as real ones do."""

import asyncio
import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import pytest

from aide.llm.diagnosis import Diagnosis, DoctorFinding, MeasuredSpeed
from aide.llm.doctor import examine_endpoint, find_local
from aide.llm.request import Endpoint
from endpoints.fake import FakeEndpoint, Said, completion, error

CITY = '{"city": "Lima", "inhabitants": 10000000, "coastal": true}'
Rule = Callable[[Mapping[str, Any]], Said | None]


def served(rule: Rule, *, window: int = 0, per_token: float = 4.0) -> FakeEndpoint:
    """An endpoint that counts `per_token` characters a token, and no more of a prompt than `window`."""

    def whole(body: Any) -> Said:
        if body is None:
            return Said(200, {"data": [{"id": "m", "owned_by": "library"}]})
        said = rule(body) or completion(CITY if "response_format" in body else "ready")
        if said.status != 200:
            return said
        prompt = int(sum(len(message["content"]) for message in body["messages"]) / per_token)
        prompt = min(prompt, window or prompt)
        return Said(200, {**said.body, "usage": {"prompt_tokens": prompt, "completion_tokens": 12}})

    return FakeEndpoint(whole)


def ask(fake: FakeEndpoint, model: str = "m", url: str = "http://host:11434/v1", **more: Any) -> Diagnosis:
    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)

    endpoint = Endpoint("e", url)
    return asyncio.run(
        examine_endpoint(endpoint, model, transport=fake.transport(), clock=monotonic, sleep=nap, **more)
    )


def named(diagnosis: Diagnosis, name: str) -> DoctorFinding:
    return next(finding for finding in diagnosis.findings if finding.name == name)


def test_a_sound_endpoint_is_usable_and_measured() -> None:
    found = ask(served(lambda body: None, per_token=3.0))
    assert found.usable, found.findings
    assert named(found, "structure").told == "strict"
    assert named(found, "thinking").told == "none"
    assert found.answered_by == "fake-1"
    assert named(found, "answers").verdict == "note", "another model than the one that was asked answers"
    assert found.measured is not None
    assert found.measured.chars_per_token == pytest.approx(3.0, rel=0.05)
    assert found.calls <= 20
    assert "the server reports none" in named(found, "prefix").told


def test_a_prompt_that_is_silently_cut_is_found_out_with_the_servers_own_remedy() -> None:
    found = ask(served(lambda body: None, window=2048))
    assert not found.usable
    cut = named(found, "context")
    assert "silently cut" in cut.told
    assert "2,048" in cut.told
    assert "OLLAMA_CONTEXT_LENGTH=8192" in cut.advice


def test_what_a_prefix_cache_would_have_had_stands_beside_what_the_server_says() -> None:
    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)

    def cached(body: Any) -> Said:
        if body is None:
            return Said(200, {"data": []})
        size = sum(len(message["content"]) for message in body["messages"]) // 4
        told = {
            "prompt_tokens": size,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": size // 4},
        }
        return completion(CITY if "response_format" in body else "ready", usage=told)

    fake = FakeEndpoint(cached)
    found = asyncio.run(
        examine_endpoint(
            Endpoint("e", "http://h/v1"), "m", transport=fake.transport(), clock=monotonic, sleep=nap
        )
    )
    told = named(found, "prefix").told
    share = int(re.findall(r"(\d+)% of all prompt tokens", told)[0])
    assert 35 < share < 65, "the long prompt was sent twice"
    assert "the server reports 25%" in told
    assert found.measured is not None
    assert found.measured.cached == pytest.approx(0.25, abs=0.01)


def test_a_prompt_that_is_refused_for_its_length_is_told_and_no_fault() -> None:
    def short(body: Any) -> Said | None:
        if sum(len(message["content"]) for message in body["messages"]) < 8000:
            return None
        return error(
            400, "This model's maximum context length is 2048 tokens.", code="context_length_exceeded"
        )

    assert "refuses" in named(ask(served(short)), "context").told


def test_a_format_that_is_accepted_and_ignored_is_told_from_one_that_works() -> None:
    def prose(body: Any) -> Said | None:
        kind = body.get("response_format", {}).get("type")
        return completion("Lima lies by the sea.") if kind == "json_schema" else None

    structure = named(ask(served(prose)), "structure")
    assert structure.told.startswith("object_schema")
    assert "strict, schema: accepted, but ignored" in structure.told


def test_a_model_that_never_writes_json_is_unusable() -> None:
    found = ask(served(lambda body: completion("Lima lies by the sea.")))
    assert named(found, "structure").verdict == "bad"
    assert not found.usable


def test_thinking_is_counted_and_what_turns_it_off_is_named() -> None:
    def thinks(body: Any) -> Said | None:
        if body.get("reasoning_effort") == "none":
            return None
        if "chat_template_kwargs" in body:
            return error(400, "Unrecognized request argument: chat_template_kwargs")
        text = CITY if "response_format" in body else "ready"
        return completion(f"<think>{'Well. ' * 40}</think>{text}")

    fake = served(thinks)
    thinking = named(ask(fake), "thinking")
    assert sum("chat_template_kwargs" in (body or {}) for body in fake.bodies) == 1, (
        "a refused field is asked for once"
    )
    assert thinking.verdict == "note"
    assert thinking.told.startswith("60 tokens")
    assert """--extra '{"reasoning_effort":"none"}'""" in thinking.advice


def test_a_model_that_goes_on_after_its_answer_is_told() -> None:
    def endless(body: Any) -> Said | None:
        return (
            None if "response_format" in body else completion("ready. Answer with the " * 90, finish="length")
        )

    ending = named(ask(served(endless)), "ending")
    assert ending.verdict == "note"
    assert "chat template" in ending.advice
    assert named(ask(served(lambda body: None)), "ending").verdict == "ok"


def test_marks_of_a_chat_template_in_answers_are_told() -> None:
    marked = named(ask(served(lambda body: completion("ready.<|im_end|>\n<|im_start|>user"))), "marks")
    assert marked.verdict == "note"
    assert "<|im_end|>" in marked.told
    assert all(each.name != "marks" for each in ask(served(lambda body: None)).findings)


def test_parameters_that_are_refused_are_named() -> None:
    def strict(body: Any) -> Said | None:
        if "max_tokens" in body:
            return error(
                400, "Use 'max_completion_tokens' instead.", code="unsupported_parameter", param="max_tokens"
            )
        if "temperature" in body:
            return error(400, "Unsupported value: 'temperature'. Only the default (1)", param="temperature")
        return None

    told = named(ask(served(strict)), "parameters").told
    assert "max_completion_tokens" in told
    assert "temperature refused" in told


@pytest.mark.parametrize(
    ("said", "told", "advice"),
    [
        (
            error(401, "Incorrect API key", code="invalid_api_key"),
            "key is missing or refused",
            "--api-key-env",
        ),
        (error(404, "The model `m` does not exist"), "model is unknown", "--model"),
        (error(429, "no", code="insufficient_quota"), "quota is spent", "top up"),
    ],
)
def test_what_stops_a_run_is_told_with_what_to_do(said: Said, told: str, advice: str) -> None:
    found = ask(served(lambda body: said))
    last = found.findings[-1]
    assert not found.usable
    assert told in last.told
    assert advice in last.advice


def test_the_only_model_listed_is_the_one_that_is_meant() -> None:
    fake = served(lambda body: None)
    assert ask(fake, model="").model == "m"
    assert {body["model"] for body in fake.bodies if body and "messages" in body} == {"m"}


def test_speed_follows_a_power_law_through_two_measurements() -> None:
    assert MeasuredSpeed(4, 0.1, 10, 80, 0).compute_rate(64) == pytest.approx(640)
    assert MeasuredSpeed(4, 0.1, 10, 10, 0).compute_rate(64) == pytest.approx(10)
    assert MeasuredSpeed(4, 0.1, 10, 5, 0).compute_rate(64) == pytest.approx(10), (
        "more calls are never taken as slower"
    )


def test_endpoints_on_this_machine_are_found_and_other_servers_passed_over() -> None:
    async def run() -> tuple[list[str], str]:
        page = FakeEndpoint(lambda body: Said(200, b"<html>a page</html>"))
        async with served(lambda body: None).serve() as good, page.serve() as other:
            ports = [int(url.rsplit(":", 1)[1]) for url in (good, other)]
            return await find_local([*ports, 9]), good

    found, good = asyncio.run(run())
    assert found == [f"{good}/v1"]
