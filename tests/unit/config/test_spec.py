from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aide.config.fingerprint import (
    EXCLUDED,
    IDENTITY,
    compare_fingerprints,
    compute_fingerprint,
    keep_defaults,
    upgrade_fingerprint,
)
from aide.config.spec import GROUPS, RunSpec, get_flag


def make(**given: Any) -> RunSpec:
    return RunSpec.model_validate(given)


def test_every_setting_is_either_identity_or_excluded_with_a_reason() -> None:
    fields = set(RunSpec.model_fields)
    assert set(IDENTITY) | set(EXCLUDED) == fields
    assert not set(IDENTITY) & set(EXCLUDED)
    assert all(EXCLUDED.values())


def test_every_setting_has_help_and_a_group() -> None:
    for name in RunSpec.model_fields:
        flag = get_flag(name)
        assert flag.help.endswith("."), name
        assert flag.group in GROUPS, name


def test_the_fingerprint_names_what_differs() -> None:
    old = make(model="small")
    new = make(model="small", min_relevance=5, steps={"answer": {"model": "strong"}})
    assert compare_fingerprints(compute_fingerprint(old), compute_fingerprint(new)) == [
        "min_relevance was 7, is 5",
        'steps.answer.model was unset, is "strong"',
    ]


@pytest.mark.parametrize("change", [{"target": "all"}, {"hops": 4}, {"max_calls": 3}, {"base_url": ["sim:"]}])
def test_extensions_and_places_leave_the_fingerprint_alone(change: dict[str, object]) -> None:
    assert compute_fingerprint(make(**change)) == compute_fingerprint(RunSpec())


def test_a_setting_that_an_older_version_did_not_know_counts_as_its_default() -> None:
    old = compute_fingerprint(RunSpec())
    del old["balance"]
    assert compare_fingerprints(old, compute_fingerprint(RunSpec())) == []
    assert compare_fingerprints(old, compute_fingerprint(make(balance="none"))) == [
        'balance was "uniform", is "none"'
    ]


def test_a_word_of_an_older_version_is_still_read() -> None:
    assert make(siblings="told") == make(siblings="aware")
    old = {**compute_fingerprint(RunSpec()), "siblings": '"told"'}
    upgraded = upgrade_fingerprint(old, version=0)
    assert compare_fingerprints(upgraded, compute_fingerprint(make(siblings="aware"))) == []
    assert compare_fingerprints(upgraded, compute_fingerprint(RunSpec())) == [
        'siblings was "aware", is "apart"'
    ]


# What a version wrote whose defaults were others, and which had no plain records.
THEN: dict[str, Any] = {
    "demonstrations": 3,
    "min_relevance": 6,
    "steps": {"answer": {"temperature": 0.9}, "gone": {}},
}


def test_what_nobody_set_stays_as_it_was_when_the_folder_was_begun() -> None:
    kept = keep_defaults(RunSpec(), {}, THEN, {"min_relevance": "--min-relevance"}, version=0)
    assert (kept.demonstrations, kept.plain_share) == (3, 0.0)
    assert kept.min_relevance == 7, "what was set then is set again, or is refused"
    assert kept.steps.answer.temperature == 0.9
    assert kept.steps.synthesize == RunSpec().steps.synthesize
    later = keep_defaults(RunSpec(), {}, kept.as_dict(), {}, version=1)
    assert later == kept, "a resume writes down what it went on with"


def test_what_somebody_sets_now_holds() -> None:
    spec = make(demonstrations=5, plain_share=0.5)
    kept = keep_defaults(
        spec, {"demonstrations": "--demonstrations", "plain_share": "a.toml"}, THEN, {}, version=0
    )
    assert (kept.demonstrations, kept.plain_share) == (5, 0.5)


def test_what_concerns_one_invocation_alone_is_not_taken_from_the_folder() -> None:
    kept = keep_defaults(RunSpec(), {}, {"concurrency": 4, "quiet": True, "max_calls": 9}, {}, version=1)
    assert (kept.concurrency, kept.quiet) == (None, False)


def test_hashes_of_files_join_the_fingerprint() -> None:
    before = compute_fingerprint(RunSpec(), {"prompts.extract.md": "aa"})
    after = compute_fingerprint(RunSpec(), {"prompts.extract.md": "bb"})
    assert compare_fingerprints(before, after) == ["prompts.extract.md was aa, is bb"]


@given(
    hops=st.integers(1, 9),
    target=st.one_of(st.integers(0, 99_999), st.just("all")),
    labels=st.lists(st.text(max_size=9), max_size=4),
    temperature=st.floats(0, 2),
)
def test_a_spec_survives_json(hops: int, target: object, labels: list[str], temperature: float) -> None:
    given = {"hops": hops, "target": target, "labels": labels, "price": "1/2", "prompts": "my/prompts"}
    spec = make(**given, steps={"reflect": {"temperature": temperature}})
    assert make(**spec.as_dict()) == spec


def test_a_step_of_which_only_the_model_is_given_keeps_its_temperatures() -> None:
    spec = make(model="small", steps={"answer": {"model": "strong"}})
    answer = spec.get_step("answer")
    assert (answer.model, answer.get_temperature(0), answer.get_temperature(1)) == ("strong", 0.2, 0.7)
    assert spec.get_step("reflect").model == "small"
    assert spec.get_step("synthesize").get_temperature(3) == 1.0


def test_local_servers_with_few_slots_get_a_low_ceiling() -> None:
    urls = ("http://localhost:11434/v1", "http://localhost:1234/v1", "http://localhost:8000/v1")
    assert [each.ceiling for each in make(base_url=urls).list_endpoints()] == [4, 4, 64]
    assert [each.ceiling for each in make(base_url=urls, concurrency=9).list_endpoints()] == [9, 9, 9]


def test_an_endpoint_takes_what_it_leaves_out_from_the_run() -> None:
    spec = make(
        model="m",
        headers={"a": "1"},
        endpoints=[
            {"base_url": "http://one/v1"},
            {"base_url": "http://two/v1", "model": "n", "api_key_env": "TWO", "headers": {"b": "2"}},
        ],
    )
    one, two = spec.list_endpoints()
    assert (one.model, one.api_key_env, one.headers) == ("m", "OPENAI_API_KEY", {"a": "1"})
    assert (two.model, two.api_key_env, two.headers) == ("n", "TWO", {"a": "1", "b": "2"})
    assert one.name != two.name


def test_graph_triples_default_by_kind_of_task() -> None:
    assert RunSpec().count_graph_triples(fixed=False) == 2
    assert RunSpec().count_graph_triples(fixed=True) == 0
    assert make(graph_triples=1).count_graph_triples(fixed=True) == 1


def test_there_is_no_graph_to_expand_without_attributes() -> None:
    assert make(attributes=0).count_graph_triples(fixed=False) == 0
    assert make(attributes=0, graph_triples=5).count_graph_triples(fixed=True) == 0
    with pytest.raises(ValueError, match="nothing can grow"):
        make(attributes=0, graph_triples=5, personas=0, plain_share=0)


def test_the_goal_grows_with_the_seeds_only_when_asked() -> None:
    assert make(target=50).compute_target(10) == 50
    assert make(target="all").compute_target(10) is None
    assert make(per_seed=20).compute_target(3) == 60


def test_a_price_by_model_goes_before_the_general_one() -> None:
    spec = make(price="1/2", prices={"strong": "3/15"})
    strong, other = spec.find_price("strong"), spec.find_price("small")
    assert strong is not None
    assert other is not None
    assert (strong.input, strong.output, other.output) == (3, 15, 2)
    assert RunSpec().find_price("small") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"hops": 0},
        {"min_relevance": 11},
        {"personas": 0, "attributes": 0},
        {"input_pattern": "(unclosed"},
        {"input_pattern": "no groups"},
        {"encoding": "utf-9"},
        {"price": "3"},
        {"steps": {"anser": {}}},
        {"no_such": 1},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(**wrong)


def test_a_spec_can_not_be_changed() -> None:
    with pytest.raises(ValidationError):
        setattr(RunSpec(), "hops", 3)  # noqa: B010 - an assignment would not pass the type check, and that is the point


def test_the_random_seed_is_kept_under_its_first_name_and_told_by_its_own() -> None:
    assert make(seed=3) == make(random_seed=3)
    was, now = compute_fingerprint(RunSpec()), compute_fingerprint(make(random_seed=3))
    assert now["seed"] == "3", "folders of older versions go on"
    assert compare_fingerprints(was, now) == ["random_seed was 0, is 3"]
    assert keep_defaults(RunSpec(), {}, {"seed": 4}, {"seed": "default"}, version=2).random_seed == 4
