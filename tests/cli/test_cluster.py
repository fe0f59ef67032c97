"""The scripts of `docs/cluster`, with a scheduler that stands in for Slurm: it starts each task as a process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import SEEDS, environment
from cli.test_howto_pages import run_page
from runs import ROOT, contents, paid, records, simulate

SCRIPTS = ROOT / "docs" / "cluster"
TICKETS = SEEDS / "support_tickets_de.jsonl"

# Runs a job at once and to its end, all tasks of an array side by side; one that asked to be requeued once more.
SBATCH = """#!/bin/bash
array=0-0 after=""
while [[ $1 == --* ]]; do
  case $1 in
    --array=*) array=${1#--array=} ;;
    --dependency=afterok:*) after=${1#--dependency=afterok:} ;;
  esac
  shift
done
id=$(( $(ls "$SLURM_STATE" | grep -c '^job') + 1 ))
touch "$SLURM_STATE/job$id"
echo "$id"
if [[ $after && $(cat "$SLURM_STATE/code$after") != 0 ]]; then exit 0; fi
exec >>"$SLURM_STATE/out$id" 2>&1
run() {
  while :; do
    rm -f "$SLURM_STATE/requeue$2"
    SLURM_ARRAY_TASK_ID=$1 SLURM_JOB_ID=$2 bash "${@:3}"
    local code=$?
    [[ -e $SLURM_STATE/requeue$2 ]] || return $code
  done
}
worst=0 tasks=()
for (( n = ${array%-*}; n <= ${array#*-}; n++ )); do
  run "$n" "$id-$n" "$@" & tasks+=($!)
done
for task in "${tasks[@]}"; do wait "$task" || worst=$?; done
echo "$worst" >"$SLURM_STATE/code$id"
"""
SCONTROL = """#!/bin/bash
[[ $1 == requeue ]] && touch "$SLURM_STATE/requeue$2" "$SLURM_STATE/requeued$2"
"""
# Ends the task that is named in $SLURM_STATE/lose once it has a record, as Slurm does when the time is up.
SRUN = """#!/bin/bash
"$@" & process=$!
if [[ ${SLURM_ARRAY_TASK_ID:-} && -e $SLURM_STATE/lose && $(cat "$SLURM_STATE/lose") == "$SLURM_ARRAY_TASK_ID" ]]; then
  rm "$SLURM_STATE/lose"
  until compgen -G "$RUN/part-*$SLURM_ARRAY_TASK_ID-of-*/shards/*.jsonl" >/dev/null; do kill -0 $process || break; done
  kill -TERM $process
fi
wait $process
"""


class Slurm:
    """The commands of a scheduler in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run.aide"
        self.state = folder / "state"
        self.bin = folder / "bin"
        for each in (self.state, self.bin):
            each.mkdir()
        commands = {
            "sbatch": SBATCH,
            "srun": SRUN,
            "scontrol": SCONTROL,
            "aide": f'#!/bin/sh\nexec "{sys.executable}" -m aide "$@"\n',
        }
        for name, text in commands.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def submit(self, count: int, *options: object) -> str:
        """Submit a run in parts and wait for it; returns what was said."""
        env = environment(
            N=str(count), PATH=f"{self.bin}{os.pathsep}{os.environ['PATH']}", SLURM_STATE=str(self.state),
            RUN=str(self.run),
        )  # fmt: skip
        done = subprocess.run(
            [SCRIPTS / "submit.sh", TICKETS, self.run, *map(str, options)],
            env=env, capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def codes(self) -> dict[str, str]:
        """How each job ended, by its number; one that never began is not there."""
        return {path.name[4:]: path.read_text().strip() for path in self.state.glob("code*")}


def test_an_array_of_parts_is_merged_to_the_whole_target(tmp_path: Path) -> None:
    slurm = Slurm(tmp_path)
    with simulate("--latency", "0.2", "--repeat", "0.3") as url:
        (slurm.state / "lose").write_text("1")
        said = slurm.submit(
            3, "--base-url", url, "--model", "m", "--target", 60, "--concurrency", 2, "--together", 2
        )
    assert said.startswith("card 1, parts 2, merge 3;")
    assert slurm.codes == {"1": "0", "2": "0", "3": "0"}, (slurm.state / "out2").read_text()
    assert [path.name for path in slurm.state.glob("requeued*")] == ["requeued2-1"]
    parts = sorted(slurm.run.glob("part-*"))
    assert [len(records(part)) for part in parts] == [20, 20, 20]
    assert len(contents(slurm.run)) == 60
    assert json.loads((slurm.run / "summary.json").read_text())["exit_code"] == 0
    assert paid(slurm.run) >= sum(map(paid, parts))


def test_the_merge_does_not_begin_before_all_parts_are_done(tmp_path: Path) -> None:
    slurm = Slurm(tmp_path)
    slurm.submit(2, "--base-url", "sim:", "--target", 60, "--max-calls", 20)
    assert slurm.codes["1"] == "0" and slurm.codes["2"] == "3" and "3" not in slurm.codes
    assert sum(paid(part) for part in slurm.run.glob("part-*")) + paid(slurm.run) <= 20


def test_the_commands_of_the_page_run_as_they_stand(tmp_path: Path) -> None:
    run_page("cluster.md", tmp_path)
    assert len(contents(tmp_path / "tickets.aide")) == 300


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_sound_and_named_on_the_page(path: Path) -> None:
    page = (ROOT / "docs" / "cluster.md").read_text()
    assert re.search(rf"\(cluster/{path.name}\)", page)
    assert os.access(path, os.X_OK)
    done = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
