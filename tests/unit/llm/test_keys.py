"""Keys: where they come from, what is told of them, and that no word and no folder holds them."""

from collections.abc import Mapping

import pytest

from aide.config.resolve import resolve_settings
from aide.errors import EndpointUnusable, InputError
from aide.llm.keys import clean_key, fill_variables, strike_out

URL = ("--base-url", "http://localhost:8000/v1")


def resolve(flags: Mapping[str, object]) -> None:
    resolve_settings({"base_url": URL[1], "model": "m", **flags}, environ={})


@pytest.mark.parametrize("key", [
    "sk-proj-0123456789abcdef", "hf_AbCdEfGhIjKlMnOpQrSt", "gsk_0123456789abcdefghij", "AIzaSyA0123456789abcdefghij",
    "0123456789abcdef0123456789abcdef", "Abc123Abc123Abc123Abc123", "two words", "$OPENAI_API_KEY",
])  # fmt: skip
def test_a_key_in_place_of_its_variable_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(InputError, match="name of an environment variable") as refused:
        resolve({"api_key_env": key})
    assert key not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "K", "my_key_2", "Company_OpenAI_Key_Of_Team_2", ""])
def test_a_name_is_a_name(name: str) -> None:
    resolve({"api_key_env": name})


def test_a_secret_inside_further_fields_is_refused_at_any_depth() -> None:
    with pytest.raises(InputError, match="looks like a key"):
        resolve({"extra": '{"options": [{"api_key": "sk-1"}]}'})


@pytest.mark.parametrize("value", ["sk-proj-0123456789abcdefghij", "Bearer hf_0123456789abcdefghij"])
def test_a_key_is_known_by_its_looks_under_any_name(value: str) -> None:
    with pytest.raises(InputError, match="`note` looks like a key") as refused:
        resolve({"extra": f'{{"metadata": {{"note": "{value}"}}}}'})
    assert value not in f"{refused.value} {refused.value.hint}"


@pytest.mark.parametrize("key", ["'sk-1'", '"sk-1', "sk-1”", "sk\u200b-1", "s\u00e9k"])
def test_quotes_and_invisible_marks_around_a_key_are_told(key: str) -> None:
    with pytest.raises(EndpointUnusable, match=r"the key in NAME (has quotes|holds a character)") as told:
        clean_key(key, "NAME")
    assert key not in str(told.value)
    assert clean_key(" sk-\n1 ", "NAME") == "sk-1"


def test_a_header_names_a_variable() -> None:
    assert fill_variables("Bearer ${A} ${B}", {"A": "x", "B": "y\n"}, "the header a") == "Bearer x y"
    with pytest.raises(EndpointUnusable, match="the header a names the variable A, which is not set"):
        fill_variables("${A}", {}, "the header a")


def test_words_lose_a_key_as_a_whole_and_stay_words() -> None:
    assert strike_out("key test: testing a test.", ["test"]) == "key ***: testing a ***."
    assert strike_out("Incorrect API key provided: sk-1", ["sk-1"]) == "Incorrect API key provided: ***"


def test_a_config_keeps_the_variable_s_name_alone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = tmp_path / "c.toml"
    config.write_text('[request]\nheaders = { "x-api-key" = "${TEAM_KEY}", "x-team" = "data" }\n')
    settings = resolve_settings(
        {"base_url": URL[1], "model": "m"}, environ={"TEAM_KEY": "s3cret"}, config=str(config)
    )
    assert settings.spec.headers["x-api-key"] == "${TEAM_KEY}"
    config.write_text('[request]\nheaders = { "x-api-key" = "s3cret" }\n')
    with pytest.raises(InputError, match="looks like a key") as refused:
        resolve_settings({"base_url": URL[1], "model": "m"}, environ={}, config=str(config))
    assert "${NAME}" in refused.value.hint
