"""The table of the commands, by group: what `--help` says of them without importing one.

To add a command, write a module `aide/cli/<name>.py` with a function of that name (or a `typer.Typer`) and add
its row here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """What `--help` says about a command without importing it."""

    summary: str
    """One line."""
    examples: tuple[str, ...]
    """Command lines to try."""


GROUPS: Final[dict[str, dict[str, CommandEntry]]] = {
    "Grow": {
        "demo": CommandEntry(
            "Watch recorded runs of a real model: no key, no network.",
            ("aide demo", "aide demo --fast -o somewhere", "aide records aide-demo/word_problems"),
        ),
        "preview": CommandEntry(
            "Make a few records for a few cents, and say what the run would cost.",
            (
                "aide preview sample:word_problems --base-url sim:",
                "aide preview tickets.csv --base-url http://localhost:8000/v1 --task 'Route a ticket.'",
            ),
        ),
        "plan": CommandEntry(
            "Estimate what a run would cost; spend nothing.",
            ("aide plan seeds.jsonl --hops 2 --target all", "aide plan seeds.jsonl --price 0.15/0.60 --json"),
        ),
        "expand": CommandEntry(
            "Grow seed examples into many records; run again to resume.",
            (
                "aide expand sample:word_problems --base-url sim: --target 300",
                "aide expand tickets.csv --base-url http://localhost:8000/v1 --model qwen -o tickets.aide",
            ),
        ),
        "merge": CommandEntry(
            "Make the parts of a run one run folder.",
            ("aide merge seeds.aide", "aide merge seeds.aide --partial --json"),
        ),
        "status": CommandEntry(
            "Show how far a run is, also while it is going on.",
            ("aide status seeds.aide", "aide status seeds.aide --watch", "aide status seeds.aide --json"),
        ),
        "batch": CommandEntry(
            "List the batches of a run, or end those that are pending.",
            ("aide batch list seeds.aide", "aide batch cancel seeds.aide"),
        ),
    },
    "Look": {
        "report": CommandEntry(
            "Write one HTML file that shows a run.",
            ("aide report seeds.aide", "aide report seeds.aide -o run.html"),
        ),
        "records": CommandEntry(
            "Read records in the pager, all or some.",
            (
                "aide records seeds.aide",
                "aide records seeds.aide --where 'relevance < 8 and hop == 2' --fields input,output,scores",
                "aide records seeds.aide -n 5 --rejects | head -n 20",
            ),
        ),
        "trace": CommandEntry(
            "Show how a record came to be, from its seed on.",
            ("aide trace seeds.aide 3f9c0a", "aide trace seeds.aide 3f9c0a --json"),
        ),
        "stats": CommandEntry(
            "Measure diversity, balance and likeness to the seeds.",
            ("aide stats seeds.aide", "aide stats seeds.aide --human human.jsonl --json"),
        ),
        "compare": CommandEntry(
            "Say which of several data sets teaches better.",
            (
                "aide compare monday.aide tuesday.aide --gold human.jsonl",
                "aide compare ours=seeds.aide theirs=other.jsonl --gold human.jsonl --per-label 5,20",
            ),
        ),
    },
    "Curate": {
        "review": CommandEntry(
            "Accept, refuse and edit records by keyboard on a local page.",
            ("aide review seeds.aide", "aide review seeds.aide --no-browser --port 8765"),
        ),
        "filter": CommandEntry(
            "Keep records by scores, hop, operation, format, words or an expression.",
            (
                "aide filter seeds.aide --min relevance=8 --hop 1,2 > good.jsonl",
                "aide expand - -o - < seeds.jsonl | aide filter --where 'len(input) < 400' > short.jsonl",
            ),
        ),
        "dedup": CommandEntry(
            "Remove duplicates; keep the first of each group.",
            (
                "aide dedup monday.aide tuesday.aide > both.jsonl",
                "aide dedup new.jsonl --avoid old.jsonl --report hits.jsonl > fresh.jsonl",
            ),
        ),
        "decontaminate": CommandEntry(
            "Drop records that give away items of test sets.",
            (
                "aide decontaminate seeds.aide --avoid test.jsonl > clean.jsonl",
                "cat train.jsonl | aide decontaminate --avoid gsm8k_test.jsonl --report hits.jsonl --mark",
            ),
        ),
        "answer": CommandEntry(
            "Answer given inputs, with all checks of a run.",
            (
                "aide answer inputs.jsonl --seeds sample:word_problems --base-url sim: > answered.jsonl",
                "cat inputs.jsonl | aide answer - --seeds seeds.jsonl --agreement 3/5 --model qwen > answered.jsonl",
            ),
        ),
        "grade": CommandEntry(
            "Have the judge grade any records, or a student tell how hard they are.",
            (
                "aide grade sample:science_quiz --base-url sim: > graded.jsonl",
                "aide grade seeds.aide --model judge | aide filter - --min relevance=8 > good.jsonl",
                "aide grade seeds.aide --student http://localhost:8000/v1 --draws 8 > hard.jsonl",
            ),
        ),
        "calibrate": CommandEntry(
            "Compare the judge with a person's marks.",
            ("aide calibrate marked.jsonl --model judge", "aide calibrate seeds.aide --json"),
        ),
        "sample": CommandEntry(
            "Draw a random sample, the same one each time; also by difficulty.",
            (
                "aide sample seeds.aide -n 50 --by hop,operation",
                "aide sample hard.jsonl -n 1000 --difficulty 0.25-0.75 --order difficulty > curriculum.jsonl",
                "cat train.jsonl | aide sample -n 10% --random-seed 7",
            ),
        ),
        "prune": CommandEntry(
            "Take a branch out of the records, or put it back.",
            (
                "aide prune seeds.aide --ancestor 3f9c0a",
                "aide prune seeds.aide --where 'scores.relevance < 8 and lineage.hop == 2' --dry-run",
                "aide prune seeds.aide --restore",
            ),
        ),
    },
    "Ship": {
        "split": CommandEntry(
            "Split records into training, validation and test data, by family.",
            (
                "aide split seeds.aide -o split",
                "aide split train.jsonl --seeds seeds.jsonl --validation 10% --test 10% -o split",
            ),
        ),
        "export": CommandEntry(
            "Write records in the form that a trainer reads.",
            (
                "aide export seeds.aide --to messages > train.jsonl",
                "aide export seeds.aide --to dataset -o my_dataset --license cc-by-4.0",
            ),
        ),
    },
    "Set up": {
        "doctor": CommandEntry(
            "Find endpoints, test what they support, say what to correct.",
            (
                "aide doctor",
                "aide doctor seeds.jsonl --base-url http://localhost:8000/v1 --model qwen",
                "aide doctor --base-url sim: --json",
            ),
        ),
        "config": CommandEntry(
            "Show every setting and where its value came from.",
            ("aide config --config paper", "AIDE_HOPS=3 aide config --json"),
        ),
        "recipes": CommandEntry(
            "List the ways to grow: what each computes, its source, what it needs.",
            ("aide recipes", "aide recipes --json"),
        ),
        "prompts": CommandEntry(
            "List the prompts, copy them for editing, compare a copy.",
            ("aide prompts export my_prompts", "aide prompts diff my_prompts"),
        ),
        "simulate": CommandEntry(
            "Serve the simulated endpoint over HTTP.",
            ("aide simulate --port 8800", "aide simulate --port 0 --latency 0.2 --slots 8 --faults 429:0.1"),
        ),
    },
}
"""In the order of the way from seeds to a trainer."""

COMMANDS: Final = {name: entry for group in GROUPS.values() for name, entry in group.items()}
