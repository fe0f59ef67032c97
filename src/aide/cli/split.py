"""`aide split`: training, validation and test data, split by family."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from aide.cli.arguments import Quiet, Sources, parse_fraction
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

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

    By seed, no descendant of a training seed is held out. auto splits by seed; if training would then lack a
    label, it splits by the branches of the first hop, and says so. The seeds go to training, and so do held-out
    records that nearly repeat training data.
    """
    from aide.dataset.duplicates import index_seeds
    from aide.dataset.lines import read_lines
    from aide.dataset.record_content import seed_as_record
    from aide.dataset.seed_sources import load_card_of, load_seeds_of
    from aide.dataset.splitting import SplitPool, plan_split, separate_near_duplicates, write_splits

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
    added: list[dict[str, Any]] = []
    console = make_stderr_console(quiet=quiet)
    with SplitPool(read_lines(given)) as pool:
        plan = plan_split(pool, by, **shares, seed=random_seed)
        if loaded is not None and not no_seeds:
            card = load_card_of(given)
            format = card.format if card else loaded.format_hint or "free_text"
            added = [seed_as_record(each, loaded.task, format) for each in loaded.seeds]
        if duplicates != "off":
            separate_near_duplicates(pool, plan, index_seeds(loaded, duplicates, entered=not no_seeds))
        counts = write_splits(pool, plan, out, added)
    for remark in plan.remarks:
        console.print(remark, markup=False)
    console.print(
        f"split by {plan.by}"
        + (f"; {format_plural(plan.moved, 'near-duplicate')} moved to training" if plan.moved else "")
    )
    if loaded is None and not no_seeds:
        console.print("the seeds are not known; --seeds FILE adds them to the training data")
    for name, count in counts.items():
        seeds_added = f", including {format_plural(len(added), 'seed')}" if name == "train" and added else ""
        console.print(f"{out / name}.jsonl: {format_plural(count, 'record')}{seeds_added}", markup=False)
    if counts["validation"] == 0 and shares["validation"]:
        console.print(
            "nothing is left for validation: all of it resembles training data; --duplicates exact keeps more"
        )
