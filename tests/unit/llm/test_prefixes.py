from aide.llm.prefixes import PrefixCacheMeter
from aide.records import Message, Usage


def noted(
    *prompts: tuple[str, str], cache: PrefixCacheMeter | None = None, cached: int = 0
) -> dict[str, float]:
    cache = cache or PrefixCacheMeter()
    for model, prompt in prompts:
        cache.note(model, [Message("user", prompt)], Usage(1, len(prompt) // 4, 5, cached))
    return cache.as_dict()


HALF = "a" * 6400


def test_whole_blocks_of_a_front_that_was_sent_before_are_hits() -> None:
    first, second = "a" * 3200 + "b" * 3200, "a" * 3200 + "c" * 3200
    assert noted(("m", first))["would_hit"] == 0
    assert 0.23 < noted(("m", first), ("m", second))["would_hit"] <= 0.25
    assert noted(("m", first), ("m", first))["would_hit"] > 0.48


def test_what_varies_at_the_front_spoils_all_that_follows() -> None:
    assert noted(("m", "1" + HALF), ("m", "2" + HALF))["would_hit"] == 0


def test_models_share_no_cache() -> None:
    assert noted(("m", HALF), ("n", HALF))["would_hit"] == 0


def test_what_was_not_met_for_long_is_forgotten() -> None:
    others = [("m", f"{number}" * 6400) for number in range(1, 9)]
    assert noted(("m", HALF), *others, ("m", HALF), cache=PrefixCacheMeter(blocks=200))["would_hit"] == 0
    kept = [each for other in others for each in (("m", HALF), other)]
    assert noted(*kept, cache=PrefixCacheMeter(blocks=500))["would_hit"] > 0.4


def test_what_the_server_says_stands_beside_it() -> None:
    assert noted(("m", HALF), ("m", HALF), cached=400)["told"] == 0.25
