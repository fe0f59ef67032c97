import pytest

from aide.llm.waits import read_exhausted, read_retry_after


@pytest.mark.parametrize(
    ("headers", "data", "message", "seconds"),
    [
        ({"retry-after": "3"}, None, "", 3.0),
        ({"retry-after": "1.5"}, None, "", 1.5),
        ({"retry-after": "6m0s"}, None, "", 360.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, None, "", 0.25),
        ({"llm_provider-retry-after": "60"}, None, "", 60.0),
        (
            {"retry-after": "Fri, 20 Nov 2026 16:10:26 GMT", "date": "Fri, 20 Nov 2026 16:09:56 GMT"},
            None,
            "",
            30.0,
        ),
        ({"retry-after": "Fri, 20 Nov 2026 16:10:26 GMT"}, None, "", None),
        ({"retry-after": "-1"}, None, "", None),
        ({}, [{"error": {"details": [{"@type": "RetryInfo", "retryDelay": "37s"}]}}], "", 37.0),
        ({}, {"error": {"details": [{"retryDelay": "0.5s"}]}}, "", 0.5),
        ({}, None, "Rate limit reached. Please try again in 7.66s.", 7.66),
        ({}, None, "Please retry after 20 seconds.", 20.0),
        ({}, None, "Slow down.", None),
    ],
)
def test_the_wait_is_read_in_every_spelling(
    headers: dict[str, str], data: object, message: str, seconds: float | None
) -> None:
    assert read_retry_after(headers, data, message) == (None if seconds is None else pytest.approx(seconds))


def test_nothing_left_means_waiting_until_the_reset() -> None:
    told = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    assert read_exhausted(told) == 360.0
    assert read_exhausted({**told, "x-ratelimit-remaining-requests": "3"}) == 0.0
    assert read_exhausted({"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"}) == 0.0
    assert read_exhausted({}) == 0.0
