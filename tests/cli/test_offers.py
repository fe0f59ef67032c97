"""What endpoints say of themselves before anything is spent: their models, and how much text these take."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import runs
from cli.shell import aide
from endpoints.beside import Reply, Station, beside

SMALL = (
    "--attributes",
    "1",
    "--graph-triples",
    "0",
    "--personas",
    "1",
    "--hops",
    "1",
    "--target",
    "3",
    "--no-exam",
)


class Listing(Station):
    """A simulator that lists what it is told to, serves only that, and answers further GETs at its root."""

    def __init__(self, *rows: dict[str, Any], properties: Any = None) -> None:
        super().__init__(twist=self._refuse)
        self.rows = rows
        self.properties = properties

    def _refuse(self, done: int, headers: object, body: Any) -> Reply | None:
        if body["model"] in [row["id"] for row in self.rows]:
            return None
        message = f"The model `{body['model']}` does not exist"
        return 404, {}, {"error": {"message": message, "code": "model_not_found"}}

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        if method == "GET" and path == "/v1/models":
            return 200, {}, {"object": "list", "data": list(self.rows)}
        if method == "GET" and path == "/props" and self.properties is not None:
            return 200, {}, self.properties
        return await super().handle(method, path, headers, body)


@contextmanager
def listing(*rows: dict[str, Any], properties: Any = None) -> Iterator[tuple[Listing, str]]:
    station = Listing(*rows, properties=properties)
    with beside(station.serving()) as url:
        yield station, url


def expand(folder: Path, url: str, *more: str) -> Any:
    seeds = runs.few(folder, "word_problems.jsonl", 3)
    return aide("expand", seeds, "--base-url", url, "-o", folder / "run", *SMALL, *more)


def test_where_there_is_one_model_none_need_be_named(tmp_path: Path) -> None:
    with listing({"id": "the-one"}) as (station, url):
        assert expand(tmp_path, url).returncode == 0
        asked = station.requests
        again = expand(tmp_path, url, "--model", "the-one")
        assert (again.returncode, station.requests) == (0, asked), "it is the same run with its name"
    finished = expand(tmp_path, url)
    assert finished.returncode == 0, "a finished run is known without its server"
    assert "nothing to do" in finished.stderr


def test_of_several_models_one_must_be_named(tmp_path: Path) -> None:
    with listing({"id": "small"}, {"id": "large"}) as (station, url):
        told = expand(tmp_path, url)
    assert told.returncode == 2
    assert "lists small, large" in told.stderr
    assert "--model" in told.stderr
    assert (station.requests, (tmp_path / "run").exists()) == (0, False)


def test_where_nobody_can_be_asked_for_a_model_it_says_why(tmp_path: Path) -> None:
    told = expand(tmp_path, "http://127.0.0.1:9/v1")
    assert told.returncode == 4
    assert "no model is named, and nothing listens at" in told.stderr


def test_an_unknown_model_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with listing({"id": "small"}, {"id": "large"}) as (station, url):
        told = expand(tmp_path, url, "--model", "smal")
        assert told.returncode == 4
        assert "the endpoint lists small, large" in told.stderr
        assert station.requests == 1
        assert "but not this one: small, large" in aide("doctor", "--base-url", url, "--model", "smal").stdout
        assert expand(tmp_path, url, "--model", "small").returncode == 0, "the folder takes the right one"


LLAMA = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072, "n_ctx": 131072}}


@pytest.mark.parametrize(
    ("row", "properties"),
    [
        ({"id": "m", "max_model_len": 1024}, None),
        (LLAMA, {"total_slots": 4, "default_generation_settings": {"n_ctx": 1024}}),
    ],
    ids=["listed", "a slot of llama.cpp"],
)
def test_a_window_too_small_is_told_before_anything_is_spent(
    row: dict[str, Any], properties: Any, tmp_path: Path
) -> None:
    with listing(row, properties=properties) as (station, url):
        told = expand(tmp_path, url, "--model", "m")
    assert told.returncode == 4
    assert "takes 1,024 tokens a call, and typical calls of this run take" in told.stderr
    assert "context of at least" in told.stderr
    assert station.requests == 0


@pytest.mark.parametrize(
    ("row", "properties"),
    [
        ({"id": "m", "max_model_len": 8192}, None),
        (LLAMA, {"default_generation_settings": {"n_ctx": 8192}}),
        (LLAMA, None),
        ({"id": "m"}, {"default_generation_settings": {"n_ctx": 16}}),
        ({"id": "m", "max_model_len": "none"}, None),
    ],
)
def test_a_window_that_suffices_or_that_nobody_tells_stops_nobody(
    row: dict[str, Any], properties: Any, tmp_path: Path
) -> None:
    with listing(row, properties=properties) as (_, url):
        assert expand(tmp_path, url, "--model", "m").returncode == 0


def test_a_run_that_has_begun_knows_better_than_a_list(tmp_path: Path) -> None:
    with listing({"id": "m"}) as (station, url):
        assert expand(tmp_path, url, "--model", "m", "--max-calls", "3").returncode == 3
        station.rows = ({"id": "m", "max_model_len": 1024},)
        assert expand(tmp_path, url, "--model", "m").returncode == 0
