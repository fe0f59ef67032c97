"""`aide split`: training, validation and test data, split by family."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from aide.cli.arguments import Quiet, Sources, parse_fraction
from aide.cli.console import make_printable, make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.dataset.splitting import SplitOutcome

_LABELS: Final = 40  # rows of a table that a person reads

Out = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="DIR", help="Folder for train.jsonl, validation.jsonl and test.jsonl."
    ),
]
By = Annotated[
    Literal["auto", "seed", "branch", "record"],
    typer.Option(
        "--by",
        help="What stays together: all descendants of a seed, of a record of the first hop, or nothing.",
    ),
]
Validation = Annotated[
    str,
    typer.Option("--validation", metavar="SHARE", help="Share held out for validation, such as 0.1 or 10%."),
]
Test = Annotated[str, typer.Option("--test", metavar="SHARE", help="Share held out for testing.")]
Seeds = Annotated[
    list[str] | None,
    typer.Option("--seeds", metavar="FILE", help="The seeds; those of a run folder are found."),
]
NoSeeds = Annotated[bool, typer.Option("--no-seeds", help="Do not add the seeds to the training data.")]
Duplicates = Annotated[
    Literal["near", "exact", "off"],
    typer.Option("--duplicates", help="Held-out records that resemble training data are moved there."),
]
RandomSeed = Annotated[
    int, typer.Option("--random-seed", metavar="INT", help="Another number holds out other records.")
]


def split(
    sources: Sources = None,
    out: Out = Path("split"),
    by: By = "auto",
    validation: Validation = "10%",
    test: Test = "0",
    seeds: Seeds = None,
    no_seeds: NoSeeds = False,
    duplicates: Duplicates = "near",
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Split records into training, validation and test data by family, so that what is held out stays unseen.

    By seed, all that grew from one seed is in the same part. auto splits by seed; if training would then lack a
    label, or if few large seeds would miss a share by far, it splits by the branches of the first hop, and says
    so. The seeds go to training, and so do held-out records that nearly repeat training data.
    """
    from aide.dataset.lines import read_lines
    from aide.dataset.seed_sources import load_card_of, load_seeds_of
    from aide.dataset.splitting import split_records
    from aide.exporters.written import WrittenFiles

    shares = {
        "validation": parse_fraction(validation, "--validation"),
        "test": parse_fraction(test, "--test"),
    }
    if not 0 < sum(shares.values()) < 1:
        raise InputError(
            "the shares held out must add up to more than 0 and less than 1", hint="--validation 10%"
        )
    given = tuple(sources or ())
    loaded = load_seeds_of(given, seeds or ())
    console = make_stderr_console(quiet=quiet)
    card = load_card_of(given)
    split = split_records(
        read_lines(given), out, loaded, by=by, **shares, seed=random_seed, duplicates=duplicates,
        format=card.format if card else (loaded and loaded.format_hint) or "free_text", add_seeds=not no_seeds,
    )  # fmt: skip
    if loaded is None and not no_seeds:
        console.print("the seeds are not known; --seeds FILE adds them to the training data")
    settled = WrittenFiles.read(out).settle([f"{name}.jsonl" for name in split.counts], sources=given)
    for line in (*settled.describe("split"), *describe_split(split, out)):
        console.print(line, markup=False)


def describe_split(split: "SplitOutcome", out: Path, suffix: str = ".jsonl") -> Iterator[str]:
    """What a person should know of a split: remarks, what lies where, and for labels a table."""
    plan, counts = split.plan, split.counts
    yield from plan.remarks
    moved = f"; {format_plural(plan.moved, 'near-duplicate')} moved to training" if plan.moved else ""
    yield f"split by {plan.by}{moved}"
    for name, count in counts.items():
        seeds = f", including {format_plural(split.seeds, 'seed')}" if name == "train" and split.seeds else ""
        yield f"{out / name}{suffix}: {format_plural(count, 'record')}{seeds}"
    if counts["validation"] == 0:
        yield "nothing is left for validation: all of it resembles training data; --duplicates exact keeps more"
    if split.labels:
        width = max(map(len, split.labels))
        yield f"{'label':{width}}" + "".join(f"{name:>12}" for name in counts)
        for label, placed in list(split.labels.items())[:_LABELS]:
            yield f"{make_printable(label):{width}}" + "".join(f"{n:>12}" for n in placed[: len(counts)])
        if len(split.labels) > _LABELS:
            yield f"and {len(split.labels) - _LABELS} labels more"
