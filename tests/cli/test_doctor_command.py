"""`aide doctor` as a person uses it: what it prints, its exit code, and the plan that counts with it."""

import json
import socket
from pathlib import Path

import runs
from aide.simulator import SimulatorSettings
from cli.shell import aide
from endpoints.beside import Reply, Station, beside


def test_a_sound_endpoint_is_exit_0_and_the_plan_then_says_measured(tmp_path: Path) -> None:
    seeds = runs.few(tmp_path, "word_problems.jsonl", 3)
    state = str(tmp_path / "state")
    with beside(Station(SimulatorSettings(latency=0.02)).serving()) as url:
        bare = url.removesuffix("/v1")
        told = aide("doctor", seeds, "--base-url", f"{bare}/", XDG_STATE_HOME=state)
        assert told.returncode == 0, told.stderr
        for name in ("structure", "parameters", "thinking", "context", "speed", "embeddings", "prefix"):
            assert f"  {name}" in told.stdout
        # The simulator is behind a plain URL here: it is tried like any model, and knows no seed's answer.
        assert "the model got 0 of 3 seeds right" in told.stdout
        assert "take a stronger model" in told.stdout
        plan = ("plan", seeds, "--model", "simulator", "--json", "-o", tmp_path / "none")
        basis = json.loads(aide(*plan, "--base-url", url, XDG_STATE_HOME=state).stdout)["basis"]
        other = json.loads(aide(*plan, "--base-url", "http://127.0.0.1:9", XDG_STATE_HOME=state).stdout)[
            "basis"
        ]
    assert basis["time_from"] == "measured"
    assert "measured" in basis["tokens_from"]
    assert other["time_from"] == "assumed"


def test_an_unusable_endpoint_is_exit_4_with_what_to_do_and_nothing_on_stdout_but_json(
    tmp_path: Path,
) -> None:
    def refuses(done: int, headers: object, body: object) -> Reply:
        return 401, {}, {"error": {"message": "Incorrect API key provided: sk-1.", "code": "invalid_api_key"}}

    with beside(Station(twist=refuses).serving()) as url:
        told = aide("doctor", "--base-url", url, "--model", "m", "--json", OPENAI_API_KEY="sk-1")
    assert told.returncode == 4
    facts = json.loads(told.stdout)
    assert facts["usable"] is False
    worst = facts["endpoints"][0]["findings"][-1]
    assert "--api-key-env" in worst["advice"]
    assert "sk-1" not in told.stdout + told.stderr


def test_where_nothing_listens_it_says_so_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        told = aide("doctor", "--base-url", url, "--model", "m")
    assert told.returncode == 4
    assert "nothing listens" in told.stdout
    assert "start the server" in told.stdout
