"""Each error body that servers are known to send, and the scope it is mapped to."""

import json
from typing import Any

import pytest

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.llm.faults import RequestRefused, ServerFault, WrongPath, decode_json, read_answer

URL = "http://host/v1/chat/completions"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1><hr>nginx</body></html>"


def fail(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> AideError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(AideError) as caught:
        read_answer(status, headers or {}, content, URL)
    return caught.value


def openai(
    message: str, code: Any = None, kind: str | None = None, param: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


QUOTA = openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota")
GOOGLE = [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Resource exhausted"}}]
DAILY = [
    {"error": {"code": 429, "message": "q", "details": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}}
]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, openai("Invalid request", "bad"), "Invalid request"),
        (400, openai("Invalid request", 400, "BadRequestError", "None"), "Invalid request"),
        (422, {"error": "Input validation error", "error_type": "validation"}, "Input validation error"),
        (
            400,
            {"object": "error", "message": "flat envelope", "type": "invalid", "code": 40001},
            "flat envelope",
        ),
        (422, {"detail": "Unexpected fields in the request: {'zzz'}"}, "Unexpected fields"),
        (
            422,
            {"detail": [{"loc": ["body", "top_k"], "msg": "extra field", "type": "t"}]},
            "body.top_k: extra field",
        ),
        (
            400,
            {"status": "failure", "message": "x-portkey-provider header is required"},
            "header is required",
        ),
        (400, {"html-message": "Message: odd"}, "Message: odd"),
        (400, [{"error": {"code": 400, "message": "in a list"}}], "in a list"),
        (400, b"plain words", "plain words"),
        (400, b"", "nothing but the status"),
        (418, b'"a string"', "a string"),
        (400, b"\x00\x1b[31mred\xff", "red"),
    ],
)
def test_a_refusal_is_told_in_the_servers_own_words(status: int, body: Any, words: str) -> None:
    error = fail(status, body)
    assert isinstance(error, RequestRefused)
    assert words in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (429, openai("Rate limit reached", "rate_limit_exceeded"), {}, "rate"),
        (429, GOOGLE, {}, "rate"),
        (429, b"<html><title>429 Too Many Requests</title></html>", {}, "rate"),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, {}, "rate"),
        (429, openai("litellm.RateLimitError: RPM limit=2", "429", "throttling_error"), {}, "rate"),
        (402, openai("wait for credits"), {"retry-after": "5"}, "rate"),
        (503, openai("The server is overloaded", "server_is_overloaded"), {}, "overload"),
        (503, b"<html><title>503 Service Temporarily Unavailable</title></html>", {}, "overload"),
        (503, openai("Loading model", 503, "unavailable_error"), {}, "overload"),
        (
            529,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            {},
            "overload",
        ),
        (498, openai("capacity", "capacity_exceeded"), {}, "overload"),
        (408, b"", {}, "timeout"),
        (504, b"<html><title>504 Gateway Time-out</title></html>", {}, "timeout"),
        (502, HTML, {}, "server"),
        (500, b"Internal Server Error", {}, "server"),
        (500, openai("Connection error.", "500", "internal_server_error"), {}, "server"),
        (500, {"html-message": "Message: fetch failed"}, {}, "server"),
        (500, b"", {}, "server"),
        (424, {"error": "Generation", "error_type": "generation"}, {}, "server"),
        (400, openai("Failed to generate JSON", "json_validate_failed"), {}, "server"),
        (200, b"", {}, "server"),
        (200, b"  \n \n ", {}, "server"),
        (200, b"   .", {}, "server"),
        (200, b"[]", {}, "server"),
        (200, b"<html>hello</html>", {}, "server"),
        (200, b'{"choices": [{"message": {"cont', {}, "server"),
        (200, {"id": "x", "error": {"message": "provider broke"}}, {}, "server"),
        (200, {"id": "x", "error": {"message": "overloaded", "code": 503}}, {}, "overload"),
        (200, {"id": "x", "error": {"message": "slow", "code": 429}}, {}, "rate"),
        (200, {"id": "x", "error": "text"}, {}, "server"),
        (200, {"choices": []}, {}, "server"),
        (200, {"choices": None}, {}, "server"),
        (200, {"model": "x"}, {}, "server"),
        (200, {"choices": [{"index": 0}]}, {}, "server"),
        (
            200,
            {"choices": [{"error": {"message": "cut", "code": 502}, "message": {"content": ""}}]},
            {},
            "server",
        ),
        (200, {"choices": [{"finish_reason": "error", "message": {"content": "half"}}]}, {}, "server"),
        (
            200,
            {"choices": [{"finish_reason": "insufficient_system_resource", "message": {"content": ""}}]},
            {},
            "overload",
        ),
    ],
)
def test_what_may_heal_is_a_failed_attempt(
    status: int, body: Any, headers: dict[str, str], kind: str
) -> None:
    error = fail(status, body, headers)
    assert isinstance(error, CallError)
    assert error.kind == kind


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (401, {"error": "Unauthorized"}, "--api-key-env"),
        (401, {"detail": "Invalid API key"}, "--api-key-env"),
        (401, b"", "--api-key-env"),
        (400, openai("No connected db.", "400", "no_db_connection"), "--api-key-env"),
        (
            400,
            openai("API key not valid. Please pass a valid API key.", 400, "INVALID_ARGUMENT"),
            "--api-key-env",
        ),
        (403, openai("Country not supported"), "this key may use"),
        (404, openai("The model `m` does not exist.", 404, "NotFoundError", "model"), "--model"),
        (404, openai('model "m" not found, try pulling it first', "model_not_found"), "--model"),
        (400, openai("Invalid model name passed in model=m", "400"), "--model"),
        (400, {"detail": "Server is pinned to 'a'; requested 'm'."}, "--model"),
        (404, {"detail": "Not Found"}, "--base-url"),
        (404, openai("File Not Found", 404, "not_found_error"), "--base-url"),
        (405, {"detail": "Method Not Allowed"}, "--base-url"),
        (301, b"<html><title>301 Moved Permanently</title></html>", "--base-url"),
        (429, QUOTA, "top up"),
        (429, openai("no more", "credit_balance_exhausted"), "top up"),
        (429, DAILY, "top up"),
        (402, openai("Insufficient Balance"), "top up"),
        (200, {"code": "rate_limit_daily", "message": "come back tomorrow"}, "top up"),
    ],
)
def test_what_cannot_heal_stops_the_run_with_a_hint(status: int, body: Any, hint: str) -> None:
    error = fail(status, body)
    assert isinstance(error, EndpointUnusable)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, openai("Rate limit exceeded: free-tier-requests-per-day")),
        (429, openai("You have hit your weekly limit; upgrade for more")),
        (429, {"errors": [{"message": "daily allocation of 5,000 units used", "code": 1}], "success": False}),
        (
            429,
            openai("Rate limit reached on tokens per day (TPD): Limit 100, Used 99. Try again in 14m32.1s."),
        ),
        (
            429,
            openai("Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 69183 seconds."),
        ),
        (412, openai("This account is suspended for unpaid invoices", "ACCOUNT_SUSPENDED")),
        (403, openai("monthly usage limit reached")),
    ],
)
def test_an_allowance_of_a_day_or_more_is_a_quota_that_no_patience_brings_back(
    status: int, body: Any
) -> None:
    error = fail(status, body)
    assert isinstance(error, EndpointUnusable)
    assert error.lasting


@pytest.mark.parametrize(
    "message",
    [
        "Limits: 20 requests per minute, 1000 requests per day. Slow down.",
        "Rate limit reached on requests per min (RPM): Limit 3, Used 3",
        "try again, today is a busy day",
    ],
)
def test_a_pace_is_no_allowance(message: str) -> None:
    error = fail(429, openai(message))
    assert isinstance(error, CallError)
    assert error.kind == "rate"


DATE = "Thu, 26 Nov 2026 20:00:00 GMT"
MIDNIGHT = 1795737600  # 2026-11-27 00:00 UTC


@pytest.mark.parametrize("value", [str(MIDNIGHT), str(1000 * MIDNIGHT), "14400", "4h"])
def test_a_count_that_starts_anew_in_hours_is_an_allowance_whatever_the_words(value: str) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": value, "date": DATE}
    error = fail(429, openai("no"), headers)
    assert isinstance(error, EndpointUnusable)
    assert error.lasting
    assert ("2026-11-27 00:00 UTC" in str(error)) == value.startswith(str(MIDNIGHT))


def test_a_count_that_starts_anew_soon_names_the_wait() -> None:
    error = fail(429, openai("no"), {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "17"})
    assert isinstance(error, CallError)
    assert error.retry_after == 17


def test_a_router_that_quotes_the_reset_of_its_provider_is_read() -> None:
    quoted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1000 * MIDNIGHT)}
    error = fail(
        429, {"error": {"message": "no", "code": 429, "metadata": {"headers": quoted}}}, {"date": DATE}
    )
    assert isinstance(error, EndpointUnusable)
    assert "2026-11-27 00:00 UTC" in str(error)


@pytest.mark.parametrize("status", [101, 205, 408])
def test_an_odd_status_alone_is_tried_again(status: int) -> None:
    assert isinstance(fail(status, b""), CallError)


def test_a_wrong_path_is_told_from_a_wrong_model() -> None:
    assert isinstance(fail(404, {"detail": "Not Found"}), WrongPath)
    assert not isinstance(fail(404, openai("The model `m` does not exist.")), WrongPath)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, openai("This model's maximum context length is 4096 tokens", "context_length_exceeded")),
        (
            400,
            openai("This model's maximum context length is 2048 tokens. However, your prompt has 2049"),
        ),
        (
            400,
            openai(
                "request (40974 tokens) exceeds the available context size", 400, "exceed_context_size_error"
            ),
        ),
        (400, openai("The input (9 tokens) is longer than the model's context length (8 tokens)")),
        (400, openai("Requested token count exceeds the model's maximum context length of 8 tokens.")),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096", "error_type": "validation"}),
        (
            400,
            {
                "object": "error",
                "message": "Prompt contains 9 tokens, too large for model with 8 maximum context",
            },
        ),
        (400, openai("litellm.ContextWindowExceededError: litellm.BadRequestError")),
        (500, openai("Trying to keep the first 9 tokens when context the overflows")),
        (200, {"error": "Trying to keep the first 9 tokens when context the overflows"}),
        (413, b"<html><title>413 Request Entity Too Large</title></html>"),
    ],
)
def test_a_prompt_that_does_not_fit_is_the_nodes_trouble(status: int, body: Any) -> None:
    error = fail(status, body)
    assert isinstance(error, NodeError)
    assert error.reason == "context_too_long"
    assert not error.failed


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, openai("The response was filtered", "content_filter", None, "prompt")),
        (400, openai("litellm.BadRequestError: content_filter_policy")),
        (
            403,
            {
                "error": {
                    "code": 403,
                    "message": "m requires moderation",
                    "metadata": {"reasons": ["violence"]},
                }
            },
        ),
    ],
)
def test_a_filter_is_the_nodes_trouble(status: int, body: Any) -> None:
    error = fail(status, body)
    assert isinstance(error, NodeError)
    assert error.reason == "filtered"


@pytest.mark.parametrize(
    "message",
    [
        {"content": "yes"},
        {"content": None},
        {"content": ""},
        {"content": "   "},
        {"content": None, "reasoning": "thought"},
        {"content": None, "refusal": "I can't"},
        {},
    ],
)
def test_a_message_is_an_answer_whatever_it_says(message: dict[str, Any]) -> None:
    body = {"choices": [{"message": message, "finish_reason": "content_filter"}]}
    assert read_answer(200, {}, json.dumps(body).encode(), URL) == body


def test_leading_drip_raw_controls_and_lone_surrogates_are_json_all_the_same() -> None:
    assert decode_json(b' \n\n {"a": 1}') == {"a": 1}
    assert decode_json(b'{"a": "x\ny\ty"}') == {"a": "x\ny\ty"}
    assert decode_json(b'{"a": "\\ud800"}') == {"a": "\ud800"}
    assert decode_json(b'{"a": "\xff"}') == {"a": "\ufffd"}
    assert decode_json(b"[" * 100_000) is None


def test_equal_bodies_have_equal_marks() -> None:
    one, two, other = (fail(500, text) for text in (b"boom", b"boom", b"bang"))
    assert isinstance(one, ServerFault) and isinstance(two, ServerFault) and isinstance(other, ServerFault)
    assert one.fault.mark == two.fault.mark != other.fault.mark


def test_the_wait_travels_with_the_error() -> None:
    error = fail(429, b"", {"retry-after": "12"})
    assert isinstance(error, CallError)
    assert error.retry_after == 12
