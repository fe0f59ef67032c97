"""`aide split`: training, validation and test data, cut by family."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from aide.cli.console import make_stderr_console
from aide.cli.sources import Quiet, Sources, parse_fraction
from aide.errors import InputError
from aide.text.figures import format_plural

Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for train.jsonl and the others.")
]
By = Annotated[
    Literal["auto", "seed", "branch", "record"],
    typer.Option(
        "--by", help="What is never torn apart: all of a seed, all of a first hop's record, or nothing."
    ),
]
Validation = Annotated[
    str, typer.Option("--validation", metavar="SHARE", help="How much is held out, such as 0.1 or 10%.")
]
Test = Annotated[
    str, typer.Option("--test", metavar="SHARE", help="How much is held out for a test besides.")
]
Seeds = Annotated[
    list[str] | None,
    typer.Option("--seeds", metavar="FILE", help="The seeds; those of a run folder are found."),
]
NoSeeds = Annotated[bool, typer.Option("--no-seeds", help="Do not put the seeds into training.")]
Duplicates = Annotated[
    Literal["near", "exact", "off"],
    typer.Option("--duplicates", help="What is held out and resembles training goes there."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="INT", help="Another one holds out others.")]


def split(
    sources: Sources = None,
    out: Out = Path("split"),
    by: By = "auto",
    validation: Validation = "10%",
    test: Test = "0",
    seeds: Seeds = None,
    no_seeds: NoSeeds = False,
    duplicates: Duplicates = "near",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Cut records into training, validation and test data by family, so that what is held out stays unseen.

    By seed, no descendant of a training seed is held out. auto cuts by seed; where a label would then be
    missing from training it cuts by the branches of the first hop, and says so. Near-duplicates across the
    cut go to training, and the seeds too.
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
            "what is held out must be more than nothing and less than all", hint="--validation 10%"
        )
    given = tuple(sources or ())
    loaded = load_seeds_of(given, seeds or ())
    added: list[dict[str, Any]] = []
    console = make_stderr_console(quiet=quiet)
    with SplitPool(read_lines(given)) as pool:
        made = plan_split(pool, by, **shares, seed=seed)
        if loaded is not None and not no_seeds:
            card = load_card_of(given)
            format = card.format if card else loaded.format_hint or "free_text"
            added = [seed_as_record(each, loaded.task, format) for each in loaded.seeds]
        if duplicates != "off":
            separate_near_duplicates(pool, made, index_seeds(loaded, duplicates, entered=not no_seeds))
        counts = write_splits(pool, made, out, added)
    for remark in made.remarks:
        console.print(remark, markup=False)
    console.print(
        f"cut by {made.by}"
        + (f"; {format_plural(made.moved, 'near-duplicate')} moved to training" if made.moved else "")
    )
    if loaded is None and not no_seeds:
        console.print("the seeds are not known; --seeds FILE puts them into training")
    for name, count in counts.items():
        told = f", {format_plural(len(added), 'seed')} among them" if name == "train" and added else ""
        console.print(f"{out / name}.jsonl: {format_plural(count, 'record')}{told}", markup=False)
    if counts["validation"] == 0 and shares["validation"]:
        console.print(
            "nothing is left in validation: all of it resembles training; --duplicates exact keeps more"
        )
