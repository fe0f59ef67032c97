from collections.abc import Mapping
from pathlib import Path

import pytest

from aide.config.resolve import Settings, resolve_settings
from aide.config.spec import RunSpec
from aide.errors import InputError


def gather(toml: str = "", tmp: Path | None = None, **flags: object) -> Settings:
    config = None
    if tmp is not None:
        (tmp / "my.toml").write_text(toml)
        config = str(tmp / "my.toml")
    return resolve(flags, config)


def resolve(flags: Mapping[str, object], config: str | None = None) -> Settings:
    return resolve_settings(flags, environ={}, config=config, endpoint_needed=False)


def test_later_layers_win_and_each_value_remembers_its_own(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text("hops = 3\nattributes = 4\npersonas = 1\n")
    settings = resolve_settings(
        {"personas": "2", "random_seed": None},
        environ={"AIDE_ATTRIBUTES": "5", "AIDE_PERSONAS": "9", "AIDE_MODEL": "m", "AIDE_SEED": " "},
        config=str(tmp_path / "my.toml"),
        endpoint_needed=False,
    )
    spec, origins = settings.spec, settings.origins
    assert (spec.hops, spec.attributes, spec.personas, spec.model, spec.random_seed) == (3, 5, 2, "m", 0)
    assert (origins["hops"], origins["attributes"]) == ("my.toml, line 1", "AIDE_ATTRIBUTES")
    assert (origins["personas"], origins["random_seed"]) == ("--personas", "default")
    assert set(origins) == set(RunSpec.model_fields)


@pytest.mark.parametrize("name", ["default", "paper", "quick"])
def test_shipped_configs_resolve_by_name(name: str) -> None:
    settings = resolve_settings({}, environ={"AIDE_CONFIG": name}, endpoint_needed=False)
    assert settings.spec.hops in (1, 2)


def test_default_toml_is_the_defaults_and_names_every_setting() -> None:
    settings = resolve_settings({}, environ={}, config="default", endpoint_needed=False)
    assert settings.spec == RunSpec()
    text = (Path(__file__).parents[3] / "configs" / "default.toml").read_text()
    assert [name for name in RunSpec.model_fields if name not in text] == []


def test_paper_toml_is_the_paper() -> None:
    spec = resolve_settings({}, environ={}, config="paper", endpoint_needed=False).spec
    assert (spec.hops, spec.target, spec.attributes, spec.graph_triples, spec.personas) == (2, "all", 3, 2, 5)
    assert (spec.min_relevance, spec.min_diversity, spec.residual_after) == (5, 5, 1)
    synthesize = spec.get_step("synthesize")
    assert (synthesize.temperature, synthesize.top_p, synthesize.max_output) == (1.0, 0.95, 2048)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('\nhops = "two"', "my.toml, line 2: hops must be a whole number, not 'two'"),
        ("hops = true", "line 1: hops must not be true or false"),
        ("[tree]\nhopps = 2", "line 2: there is no setting `hopps`; did you mean 'hops'?"),
        ("[quality]\nhops = 2", "`hops` does not belong in [quality]"),
        ("hops = 2\n[tree]\nhops = 3", "line 3: `hops` is set twice"),
        (
            "[steps.answer]\ntemprature = 1",
            "line 2: temprature (steps.answer.temprature) is no setting; did you mean",
        ),
        ('[[endpoints]]\nbase_url = "a"\n[[endpoints]]\nrpm = 0', "must be given, not"),
        ('target = "most"', "target must be a whole number or one of 'all', not 'most'"),
        ("hops = ", "my.toml is not valid TOML"),
    ],
)
def test_a_wrong_config_is_told_in_one_sentence_with_its_line(toml: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        gather(toml, tmp_path)
    assert said in str(caught.value)
    assert caught.value.hint
    assert "\n" not in str(caught.value).split("TOML")[0]


@pytest.mark.parametrize(
    "toml",
    [
        'api_key = "sk-1"',
        '[endpoint]\nOPENAI_API_KEY = "sk-1"',
        '[request]\nheaders = { Authorization = "Bearer sk-1" }',
        '[request.query]\n"api-key" = "sk-1"',
        '[[endpoints]]\nbase_url = "http://x/v1"\napi_key = "sk-1"',
    ],
)
def test_keys_are_refused_and_never_repeated(toml: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        gather(toml, tmp_path)
    assert "sk-1" not in str(caught.value)
    assert "api_key_env" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["http://me:pw@host/v1", "localhost:8000/v1", "http://", "https://host/v1?api-key=1"]
)
def test_a_url_that_is_none_or_holds_a_key_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        gather(base_url=[url], model="m")


def test_the_stand_in_needs_no_model() -> None:
    settings = resolve_settings({"base_url": ["sim:?near=0.1"]}, environ={})
    assert settings.spec.model == "simulator"


def test_a_real_endpoint_needs_a_url_and_a_model() -> None:
    with pytest.raises(InputError) as caught:
        resolve_settings({}, environ={})
    assert "--base-url sim:" in caught.value.hint
    with pytest.raises(InputError) as caught:
        resolve_settings({"base_url": ["http://localhost:8000/v1"]}, environ={})
    assert "AIDE_MODEL" in caught.value.hint


def test_the_usual_variable_is_the_last_resort() -> None:
    environ = {"OPENAI_BASE_URL": "http://usual/v1", "AIDE_MODEL": "m"}
    assert resolve_settings({}, environ=environ).spec.base_url == ("http://usual/v1",)
    environ["AIDE_BASE_URL"] = "http://own/v1"
    assert resolve_settings({}, environ=environ).origins["base_url"] == "AIDE_BASE_URL"


def test_a_url_on_the_command_line_replaces_the_endpoints_of_the_file(tmp_path: Path) -> None:
    settings = gather('[[endpoints]]\nbase_url = "http://far/v1"\nmodel = "m"', tmp_path, base_url=["sim:"])
    assert [each.base_url for each in settings.spec.list_endpoints()] == ["sim:"]


def test_paths_in_a_config_start_at_its_folder(tmp_path: Path) -> None:
    spec = gather('persona_file = "people.jsonl"\ncontexts = ["a.txt"]', tmp_path).spec
    assert spec.persona_file == tmp_path / "people.jsonl"
    assert spec.contexts == (tmp_path / "a.txt",)
    assert spec.personas_from == "bank"


def test_lists_come_by_commas_or_by_repetition(tmp_path: Path) -> None:
    assert gather(operations=["constraint,reasoning", "concretize"]).spec.operations == RunSpec().operations
    assert gather(input_field=["a,b", "c"]).spec.input_field == ("a,b", "c")
    (tmp_path / "labels.txt").write_text("a: first\nb: second\n")
    assert gather(labels=[str(tmp_path / "labels.txt")]).spec.labels == (
        str((tmp_path / "labels.txt").resolve()),
    )


def test_a_flag_is_named_as_it_was_typed() -> None:
    assert gather(reflection=False).origins["reflection"] == "--no-reflection"
    with pytest.raises(InputError, match=r"^--min-relevance must be at most 10, not '11'"):
        gather(min_relevance="11")
    with pytest.raises(InputError, match="--extra is not JSON"):
        gather(extra="{")


@pytest.mark.parametrize(
    ("switch", "name", "value", "contrary"),
    [
        ("no_attributes", "attributes", 0, "3"),
        ("no_personas", "personas", 0, "5"),
        ("no_residual", "residual", "off", "adaptive"),
    ],
)
def test_a_switch_stands_for_a_value_and_takes_no_other(
    switch: str, name: str, value: object, contrary: str, tmp_path: Path
) -> None:
    spelled = f"--{switch.replace('_', '-')}"
    (tmp_path / "my.toml").write_text(f"{name} = {contrary if contrary.isdigit() else repr(contrary)}")
    for flags in ({switch: True}, {switch: True, name: str(value)}):
        settings = resolve(flags, config=str(tmp_path / "my.toml"))
        assert getattr(settings.spec, name) == value
        assert settings.origins[name] == spelled
        assert set(settings.origins) == set(RunSpec.model_fields)
    with pytest.raises(
        InputError, match=f"^{spelled} stands for --{name} {value}, but --{name} {contrary} is"
    ):
        resolve({switch: True, name: contrary})


def test_plain_records_alone_need_neither_personas_nor_attributes() -> None:
    nothing = {"attributes": "0", "personas": "0"}
    assert resolve({**nothing, "plain_share": "1"}).spec.plain_share == 1
    assert resolve({**nothing, "plain_share": "1", "target": "all", "per_seed": "2"}).spec.per_seed == 2
    with pytest.raises(InputError, match="nothing can grow"):
        resolve({**nothing, "plain_share": "0.9"})
    with pytest.raises(InputError, match="--target must be a number"):
        resolve({**nothing, "plain_share": "1", "target": "all"})
