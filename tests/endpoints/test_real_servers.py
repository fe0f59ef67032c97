"""Runs through servers of others: llama.cpp's `llama-server` with a model of random weights, and the LiteLLM proxy.

`make test-endpoints` installs both and runs this.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import runs
from aide.journal import AnsweredCall, Journal

SERVERS = Path(os.environ.get("AIDE_SERVERS", "nowhere"))
HERE = Path(__file__).parent / "servers"
KEY = {"OPENAI_API_KEY": "sk-of-this-test"}
READY = 180.0  # seconds: the proxy loads a great many modules

pytestmark = pytest.mark.skipif("AIDE_SERVERS" not in os.environ, reason="make test-endpoints runs it")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def serving(log: Path, health: str, *line: object, **more: str) -> Iterator[None]:
    """A server in a process of its own, from the moment it says that it is ready."""
    with log.open("wb") as out, subprocess.Popen(
        [str(word) for word in line], stdout=out, stderr=out, env={**os.environ, **more}, start_new_session=True
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + READY
            while not answers(health):
                assert process.poll() is None, log.read_text(errors="replace")[-3000:]
                assert time.monotonic() < until, (
                    f"it does not start: {log.read_text(errors='replace')[-3000:]}"
                )
                time.sleep(0.2)  # a server of others: it can only be asked
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llama")
    model, port = folder / "tiny.gguf", free_port()
    subprocess.run([sys.executable, HERE / "tiny_model.py", model], check=True)
    line = [SERVERS / "llama-server", "-m", model, "--alias", "tiny", "-c", "65536", "-np", "4", "-t", "1"]
    line += [
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--api-key",
        KEY["OPENAI_API_KEY"],
        "--no-webui",
        "--offline",
    ]
    with serving(folder / "log", f"http://127.0.0.1:{port}/health", *line):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    line = [SERVERS / "litellm" / "bin" / "litellm", "--config", HERE / "litellm.yaml"]
    line += ["--host", "127.0.0.1", "--port", port, "--num_workers", "1"]
    settings = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "DISABLE_ADMIN_UI": "True",
    }
    settings["PROXY_KEY"] = KEY["OPENAI_API_KEY"]
    with runs.simulate("--accept-all") as simulator:
        log, health = tmp_path_factory.mktemp("proxy") / "log", f"http://127.0.0.1:{port}/health/liveliness"
        with serving(log, health, *line, SIMULATOR_URL=simulator, **settings):
            yield f"http://127.0.0.1:{port}/v1"


def ended(seeds: Path, out: Path, url: str, model: str, *more: str) -> dict[str, Any]:
    """The summary of a run that came to its own end, with the promises that hold for every such run."""
    line = runs.command("expand", seeds, "--base-url", url, "--model", model, "-o", out, *more)
    done = subprocess.run(line, env=runs.environment(**KEY), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 6), done.stderr
    assert runs.reconciles(out)
    told = runs.summary(out)
    assert told["open"] == 0
    assert told["planned"] > 0
    for reject in runs.rejects(out):
        assert reject["step"] and reject["reason"] and reject["detail"], "a reject that nobody explains"
    assert told["calls"] == len(calls_of(out)) == next(iter(told["endpoints"].values()))["calls"]
    return told


def calls_of(out: Path) -> list[AnsweredCall]:
    with closing(Journal.open(out / "journal.sqlite", readonly=True)) as journal:
        return list(journal.read_calls())


@pytest.mark.parametrize("seeds", ["word_problems", "implied_answer", "support_tickets_de"])
def test_what_a_grammar_constrains_can_be_read_though_it_means_nothing(
    seeds: str, llama: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    told = ended(runs.few(tmp_path, f"{seeds}.jsonl", 6), out, llama, "tiny", *runs.SMALL, "--target", "all")
    endpoint = next(iter(told["endpoints"].values()))
    assert endpoint["errors"] == {}
    assert endpoint["rungs"]["tiny"] in ("strict", "schema")
    structured = [call for call in calls_of(out) if call.sent.get("rung")]
    assert len(structured) > 20
    for call in structured:
        choice = json.loads(call.body)["choices"][0]
        if choice["finish_reason"] != "length":
            assert isinstance(json.loads(choice["message"]["content"], strict=False), dict)
    assert not {"not_json", "bad_request", "server_fault"} & {*told["reasons"], *told["barren_reasons"]}
    assert {call.answered_by for call in calls_of(out)} == {"tiny"}
    assert told["tokens"]["estimated_calls"] == 0
    assert told["tokens"]["cached"] > 0, "it tells what it took from its prefix cache"


def test_doctor_measures_a_real_server(llama: str, tmp_path: Path) -> None:
    words = ("--base-url", llama, "--model", "tiny")
    state = {**KEY, "XDG_STATE_HOME": str(tmp_path)}
    told = json.loads(runs.aide("doctor", *words, runs.SEEDS / "word_problems.jsonl", "--json", env=state))
    found = {each["name"]: each["told"] for each in told["endpoints"][0]["findings"]}
    assert told["usable"]
    assert found["structure"] == "strict"
    assert "16,384 tokens" in found["context"]
    assert 0.5 < told["endpoints"][0]["measured"]["chars_per_token"] < 1.5, "each byte is a token there"
    assert "measured" in runs.aide("plan", *words, runs.SEEDS / "word_problems.jsonl", env=state)


def test_a_wrong_key_stops_at_a_real_server_with_a_hint(llama: str, tmp_path: Path) -> None:
    wrong = {"OPENAI_API_KEY": "sk-wrong"}
    words = ("expand", runs.SEEDS / "word_problems.jsonl", "--base-url", llama, "--model", "tiny")
    said = runs.aide(*words, "-o", tmp_path / "out", code=4, env=wrong)
    assert "key is missing or refused" in said
    assert "--api-key-env" in said
    assert "sk-wrong" not in said


def test_a_gateway_that_counts_requests_a_minute_turns_few_away(proxy: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seeds = runs.few(tmp_path, "word_problems.jsonl", 3)
    told = ended(seeds, out, proxy, "limited", "--target", "12")
    errors = next(iter(told["endpoints"].values()))["errors"]
    assert told["accepted"] == 12
    assert told["calls"] > 60, "the limit was never reached"
    assert set(errors) == {"rate"}
    assert told["failed"] == 0


def test_a_gateways_fallback_is_told_in_every_record(proxy: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = ended(runs.SEEDS / "science_quiz.jsonl", out, proxy, "gone", "--target", "15")
    assert told["accepted"] == 15
    assert {record["model"] for record in runs.records(out)} == {"simulator"}
    assert {(call.model, call.answered_by) for call in calls_of(out)} == {("gone", "simulator")}


def test_a_model_that_a_gateway_does_not_know_stops_with_a_hint(proxy: str, tmp_path: Path) -> None:
    words = ("expand", runs.SEEDS / "word_problems.jsonl", "--base-url", proxy, "--model", "nobody")
    said = runs.aide(*words, "-o", tmp_path / "out", code=4, env=KEY)
    assert "model is unknown" in said
    assert "--model" in said
