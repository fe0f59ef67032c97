from typing import Any

import pytest

from aide.llm.usage import compute_cost, estimate_tokens, read_usage, read_written_text
from aide.records import Usage


def test_a_letter_is_a_quarter_of_a_token_and_a_han_sign_a_whole_one() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("abcd" * 10) == 10
    assert estimate_tokens("今天天气很好") == 6
    assert estimate_tokens("Wetter 天气") == 2 + 2


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}, Usage(1, 100, 20)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 64},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(1, 100, 20, 64, 5),
        ),
        (
            {"prompt_tokens": 100, "completion_tokens": 20, "prompt_cache_hit_tokens": 64},
            Usage(1, 100, 20, 64),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "reasoning_tokens": 7,
                "prompt_tokens_details": None,
            },
            Usage(1, 100, 20, 0, 7),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 500}, Usage(1, 100, 400)),
        (None, Usage(1, 10, 2, estimated=1)),
        ("lots", Usage(1, 10, 2, estimated=1)),
        ({"prompt_tokens": None, "completion_tokens": "many"}, Usage(1, 10, 2, estimated=1)),
        ({"prompt_tokens": -5, "completion_tokens": 10**12}, Usage(1, 10, 2, estimated=1)),
        ({"prompt_tokens": True, "completion_tokens": float("nan")}, Usage(1, 10, 2, estimated=1)),
        ({"prompt_tokens": 100}, Usage(1, 100, 2, estimated=1)),
        ({"prompt_tokens": 100, "completion_tokens": 0}, Usage(1, 100, 2, estimated=1)),
        (
            {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}},
            Usage(1, 5, 1, 5),
        ),
    ],
)
def test_usage_is_read_or_estimated_and_never_fails(told: Any, usage: Usage) -> None:
    assert read_usage({"usage": told}, 40, "eight ch") == usage


def test_thinking_counts_as_said() -> None:
    message = {"content": None, "reasoning": "hm", "reasoning_content": "well"}
    assert read_written_text({"choices": [{"message": message}]}) == "hmwell"
    odd: dict[str, Any]
    for odd in ({}, {"choices": []}, {"choices": None}, {"choices": [None]}, {"choices": [{"message": "x"}]}):
        assert read_written_text(odd) == ""


def test_cached_tokens_have_a_price_of_their_own_where_one_is_known() -> None:
    usage = Usage(1, 1_000_000, 500_000, cached=400_000)
    assert compute_cost(usage, 1.0, 2.0) == pytest.approx(2.0)
    assert compute_cost(usage, 1.0, 2.0, 0.1) == pytest.approx(0.6 + 0.04 + 1.0)
