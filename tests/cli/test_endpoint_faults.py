"""Whole runs against endpoints that fail: what comes out, what was paid, how it ends."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import runs
from aide.simulator import SimulatorSettings
from aide.simulator.settings import read_faults
from cli.shell import aide
from endpoints.beside import Reply, Station, beside

SPOILED = "empty:.05,null:.04,fence:.03,prose:.03,think:.03,truncate:.03,garbage:.03,refusal:.01"  # a quarter
ON_THE_WIRE = "429:.05,500:.03,503:.03,html:.02,error200:.03,reset:.03,timeout:.005,slow:.005"
TREE = ("--attributes", "1", "--graph-triples", "0", "--personas", "1", "--hops", "1")


def small(folder: Path) -> Path:
    return runs.few(folder, "word_problems.jsonl", 3)


def expand(seeds: Path, folder: Path, url: str, *more: str) -> Any:
    return aide("expand", seeds, "--base-url", url, "--model", "simulator", "--no-exam", "-o", folder, *more)


def refusal(status: int, message: str, **more: str) -> Reply:
    return status, {}, {"error": {"message": message, **more}}


@pytest.mark.crash
def test_with_every_fault_at_once_a_run_ends_well_and_no_answer_is_paid_twice(tmp_path: Path) -> None:
    station = Station(SimulatorSettings(faults=read_faults(f"{SPOILED},{ON_THE_WIRE}")))
    out = tmp_path / "out"
    words = (
        "--target",
        "40",
        "--together",
        "1",
        "--timeout",
        "2.5",
    )  # a call for each record: many are spoiled
    with beside(station.serving()) as url:
        ended = expand(runs.SEEDS / "word_problems.jsonl", out, url, *words)
    assert ended.returncode == 0, ended.stderr
    assert runs.reconciles(out)
    assert runs.summary(out)["open"] == 0
    assert station.simulator.stats.spoiled > 0.15 * len(station.answered)
    errors = next(iter(runs.summary(out)["endpoints"].values()))["errors"]
    assert {"rate", "overload", "server"} <= set(errors)
    for reject in runs.rejects(out):
        assert reject["step"]
        assert reject["reason"]
        assert reject["detail"], "a reject that nobody explains"
    assert len(set(station.answered)) == len(station.answered), "a question was answered, and paid for, twice"
    # A server may answer what a read timeout no longer waits for: that alone is not in the journal.
    assert len(station.answered) - errors.get("timeout", 0) <= runs.paid(out) <= len(station.answered)


def wrong_key(done: int, headers: Any, body: Any) -> Reply | None:
    if headers.get("authorization") == "Bearer good":
        return None
    return refusal(401, "Incorrect API key provided: bad.", code="invalid_api_key")


def unknown_model(done: int, headers: Any, body: Any) -> Reply | None:
    if body["model"] == "simulator":
        return None
    return refusal(404, f"The model `{body['model']}` does not exist", code="model_not_found")


@pytest.mark.parametrize(
    ("twist", "model", "key", "said", "hint"),
    [
        (wrong_key, "simulator", "bad", "key is missing or refused", "--api-key-env"),
        (unknown_model, "simulatr", "good", "model is unknown", "--model"),
    ],
)
def test_what_no_wait_heals_stops_at_once_with_a_sentence_and_a_hint(
    twist: Any, model: str, key: str, said: str, hint: str, tmp_path: Path
) -> None:
    station, out = Station(twist=twist), tmp_path / "out"
    with beside(station.serving()) as url:
        words = ("expand", small(tmp_path), "--base-url", url, *TREE, "--target", "3")
        stopped = aide(*words, "--model", model, "-o", out, OPENAI_API_KEY=key)
        assert stopped.returncode == 4, stopped.stderr
        assert said in stopped.stderr
        assert hint in stopped.stderr
        assert "Traceback" not in stopped.stderr
        assert station.requests <= 2, "asked on where nothing could heal"
        assert (
            aide(*words, "--model", "simulator", "-o", tmp_path / "good", OPENAI_API_KEY="good").returncode
            == 0
        )


def test_a_quota_that_is_spent_half_way_keeps_what_was_accepted_and_the_rerun_goes_on(tmp_path: Path) -> None:
    full, judged = False, 0

    def twist(done: int, headers: Any, body: Any) -> Reply | None:
        nonlocal judged
        judged += "relevance" in json.dumps(body.get("response_format", {}))
        if full or judged < 6:  # some readings have come: there are records
            return None
        return refusal(429, "You exceeded your current quota.", code="insufficient_quota")

    station, out, seeds = Station(twist=twist), tmp_path / "out", runs.SEEDS / "word_problems.jsonl"
    with beside(station.serving()) as url:
        stopped = expand(seeds, out, url, "--target", "30")
        assert stopped.returncode == 4, stopped.stderr
        assert "quota is spent" in stopped.stderr
        assert "top up the account" in stopped.stderr
        before = runs.shard_bytes(out)
        assert before, "nothing was accepted before the quota ended: the test shows nothing"
        full = True
        assert expand(seeds, out, url, "--target", "30").returncode == 0
    assert runs.shard_bytes(out).startswith(before)
    assert len(runs.records(out)) == 30
    assert len(set(station.answered)) == len(station.answered) == runs.paid(out)


def test_where_nothing_listens_a_run_stops_and_goes_on_elsewhere(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        out, seeds = tmp_path / "out", small(tmp_path)
        stopped = expand(seeds, out, nowhere, *TREE, "--target", "3", "--endpoint-patience", "1")
    assert stopped.returncode == 4, stopped.stderr
    assert "nothing listens" in stopped.stderr
    assert "start the server there" in stopped.stderr
    with beside(Station().serving()) as url:
        assert expand(seeds, out, url, *TREE, "--target", "3").returncode == 0
    assert len(runs.records(out)) == 3


def test_of_two_endpoints_one_may_die_half_way(tmp_path: Path) -> None:
    def dies(done: int, headers: Any, body: Any) -> Reply | None:
        if done >= 12:
            first.die()
        return None

    first, second = (
        Station(SimulatorSettings(latency=0.02), twist=dies),
        Station(SimulatorSettings(latency=0.02)),
    )
    out = tmp_path / "out"
    with beside(first.serving()) as one, beside(second.serving()) as two:
        ended = expand(runs.SEEDS / "word_problems.jsonl", out, one, "--base-url", two, "--target", "30")
    assert ended.returncode == 0, ended.stderr
    assert runs.reconciles(out)
    told = runs.summary(out)["endpoints"]
    assert [name.split(":", 1)[1] for name in told] == [url.split("/")[2] for url in (one, two)]
    dead, alive = told.values()
    assert dead["errors"]["connection"] > 0
    assert 0 < dead["calls"] <= len(first.answered)
    assert alive["calls"] == len(second.answered) > 0
    assert runs.paid(out) == dead["calls"] + alive["calls"]
    assert runs.summary(out)["failed"] == 0


def test_each_step_has_its_own_model_and_sampling_and_its_own_line_in_the_summary(tmp_path: Path) -> None:
    heard: list[Any] = []

    def listen(done: int, headers: Any, body: Any) -> None:
        heard.append((dict(headers), body))

    config = tmp_path / "steps.toml"
    (tmp_path / "key.sh").write_text("printf 'from-a-command\\n'")
    out = tmp_path / "out"
    with beside(Station(twist=listen).serving()) as url:
        config.write_text(
            f"""
            [models]
            model = "strong"
            [steps.extract]
            model = "cheap"
            temperature = 0.11
            top_p = 0.5
            max_output = 99
            [request]
            extra = {{ chat_template_kwargs = {{ enable_thinking = false }} }}
            headers = {{ "x-team" = "data" }}
            query = {{ "api-version" = "7" }}
            [budget.prices]
            cheap = "1/1"
            [[endpoints]]
            base_url = "{url}"
            name = "here"
            api_key_command = "sh {tmp_path}/key.sh"
            """
        )
        guided = (*TREE, "--plain-share", "0", "--answer", "separate", "--target", "3")
        ended = aide("expand", small(tmp_path), "--config", config, *guided, "-o", out)
    assert ended.returncode == 0, ended.stderr
    cheap = [body for _, body in heard if body["model"] == "cheap"]
    assert cheap
    assert {body["model"] for _, body in heard} == {"cheap", "strong"}
    assert {(b["temperature"], b["top_p"], b["max_tokens"]) for b in cheap} == {(0.11, 0.5, 99)}
    assert all(body["chat_template_kwargs"] == {"enable_thinking": False} for _, body in heard)
    assert all(headers["x-team"] == "data" for headers, _ in heard)
    assert all(headers["authorization"] == "Bearer from-a-command" for headers, _ in heard)
    told = runs.summary(out)
    assert set(told["steps"]["extract"]) == {"cheap"}
    assert set(told["steps"]["answer"]) == {"strong"}
    assert told["steps"]["extract"]["cheap"]["calls"] == len(cheap)
    assert told["steps"]["extract"]["cheap"]["cost"] > 0
    assert told["steps"]["answer"]["strong"]["cost"] is None
    assert told["cost"] is None, "money that nobody knows is no sum"
    assert {record["model"] for record in runs.records(out)} == {"simulator"}, (
        "the model that really answered"
    )
    assert "from-a-command" not in "".join(
        p.read_text(errors="replace") for p in out.rglob("*") if p.is_file()
    )
    assert json.loads((out / "run.json").read_text())["spec"]


def test_a_model_that_only_mumbles_is_no_exhausted_tree(tmp_path: Path) -> None:
    def mumbles(done: int, headers: Any, body: Any) -> Reply:
        message = {"role": "assistant", "content": "hm"}
        return 200, {}, {"model": "m", "choices": [{"message": message, "finish_reason": "length"}]}

    out, seeds = tmp_path / "out", small(tmp_path)
    with beside(Station(twist=mumbles).serving()) as url:
        guarded = expand(seeds, tmp_path / "guarded", url, "--target", "3", "--plain-share", "0")
        assert guarded.returncode == 6, guarded.stderr
        assert "give no attributes" in guarded.stderr
        assert "most of them as truncated" in guarded.stderr
        words = ("--plain-share", "0", "--no-guard")
        first = expand(seeds, out, url, "--target", "3", *words)
        assert first.returncode == 6, first.stderr
        assert "nothing grew there: truncated 3" in first.stderr
        assert "exhausted" not in first.stderr
        assert runs.summary(out)["barren_reasons"] == {"truncated": 3}
        assert expand(seeds, out, url, "--target", "4", *words).returncode == 6
    assert runs.summary(out)["barren_reasons"] == {"truncated": 3}, "a later invocation forgets why"


def test_plain_records_of_a_model_that_only_mumbles_are_given_up(tmp_path: Path) -> None:
    def mumbles(done: int, headers: Any, body: Any) -> Reply:
        message = {"role": "assistant", "content": "hm"}
        return 200, {}, {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}

    out, station = tmp_path / "out", Station(twist=mumbles)
    with beside(station.serving()) as url:
        ended = aide(
            "expand", small(tmp_path), "--base-url", url, "--model", "m", "--target", "100", "-o", out
        )
    assert ended.returncode == 6, ended.stderr
    assert "the model got 0 of 3 seeds right" in ended.stderr
    assert "none of the last 48 candidates was accepted" in ended.stderr
    assert station.requests < 300, "it is asked on and on"


def test_a_model_that_never_answered_does_not_keep_the_folder_from_another(tmp_path: Path) -> None:
    def twist(done: int, headers: Any, body: Any) -> Reply | None:
        unknown = body.get("model") == "misspelt"
        return (
            refusal(404, "The model `misspelt` does not exist", code="model_not_found") if unknown else None
        )

    out, seeds = tmp_path / "out", small(tmp_path)
    with beside(Station(twist=twist).serving()) as url:
        stopped = expand(seeds, out, url, *TREE, "--model", "misspelt")
        assert stopped.returncode == 4, stopped.stderr
        assert "--model" in stopped.stderr
        ended = expand(seeds, out, url, *TREE, "--target", "3")
        assert ended.returncode == 0, ended.stderr
        refused = expand(seeds, out, url, *TREE, "--target", "3", "--model", "another")
        assert refused.returncode == 2, "what was answered stays the first model's"
