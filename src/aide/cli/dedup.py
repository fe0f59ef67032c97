"""`aide dedup`: let the first of each group of duplicates through."""

import asyncio
import os
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aide.cli.asking import JOURNAL, default_journal_folder
from aide.cli.console import make_stderr_console
from aide.cli.options import with_options
from aide.cli.sources import Quiet, Sources, format_record_count
from aide.config.resolve import Settings, resolve_settings
from aide.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aide.dataset.duplicates import SeenTexts
    from aide.dataset.lines import RecordLine
    from aide.dataset.semantic_duplicates import Told
    from aide.dedup.lexical import LexicalDuplicate

Mode = Annotated[
    Literal["near", "exact"],
    typer.Option("--mode", help="near: similar wording too; exact: equal but for case and punctuation."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="SHARE",
        min=0.3,
        max=1.0,
        help="Similarity from which on two are one (default 0.7, or what the seeds teach).",
    ),
]
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seeds",
        metavar="FILE",
        help="Seeds, whose repetitions go too; how alike they are teaches the threshold. "
        "Those of a run folder are found.",
    ),
]
Against = Annotated[
    list[str] | None,
    typer.Option("--against", metavar="FILE", help="Records that are there already and are not written."),
]
Mark = Annotated[bool, typer.Option("--mark", help="Keep duplicates, with a field `duplicate`.")]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write every hit with its twin, as JSON lines."),
]


@with_options(
    "embeddings", "base_url", "api_key_env", "api_key_command", "concurrency", "rpm", "tpm", "timeout",
    "endpoint_patience", "max_calls", "max_total_tokens", "max_cost", "price", "reuse",
)  # fmt: skip
def dedup(
    sources: Sources = None,
    mode: Mode = "near",
    threshold: Threshold = None,
    seeds: Seeds = None,
    against: Against = None,
    mark: Mark = False,
    report: Report = None,
    quiet: Quiet = False,
    journal: JOURNAL = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Let records through that repeat none before them, by the same rules that watch a run as it grows.

    Compared is the part that varies; of multiple choice also the right option. A record that stays takes
    about 300 bytes of memory. With --embeddings what means the same goes too: only texts whose wording is new
    are embedded, and none is paid for twice; each then takes about as much again.
    """
    from aide.dataset.duplicates import index_seeds, remove_duplicates
    from aide.dataset.lines import STDIN, RecordLine, open_output, read_lines
    from aide.dataset.record_content import name_record
    from aide.dataset.seed_sources import load_seeds_of
    from aide.shards import encode_line

    if not spec_flags.get("embeddings") and (spec_flags or journal):
        raise InputError("nothing is asked of an endpoint", hint="name the model with --embeddings MODEL")
    known = index_seeds(load_seeds_of(sources or (), seeds or ()), mode, threshold)
    there = read_lines(against) if against else ()
    counts: Counter[str] = Counter()
    hits: Any = None
    asked = ""

    def told(line: RecordLine, twin: "LexicalDuplicate") -> RecordLine | dict[str, Any] | None:
        counts[twin.how] += 1
        found = {"of": twin.id, "how": twin.how, "similarity": twin.similarity}
        if hits is not None:
            hits.write(encode_line({"id": name_record(line), "where": line.where, **found}))
        return {**line.record, "duplicate": found} if mark else None

    def counted() -> "Iterator[RecordLine]":
        for line in read_lines(sources or ()):
            counts["read"] += 1
            yield line

    with ExitStack() as files:
        out = files.enter_context(open_output(STDIN))
        hits = files.enter_context(open_output(report)) if report else None
        if spec_flags:
            flags = {"model": spec_flags["embeddings"], **spec_flags}
            settings = resolve_settings(flags, environ=os.environ, config=config)
            take = partial(_write, out)
            asked = remove_semantic_duplicates(settings, journal, known, counted(), there, told, take)
        else:
            for line in there:
                known.enter(line)
            for each in remove_duplicates(counted(), known, told):
                _write(out, each)
    make_stderr_console(quiet=quiet).print(
        f"{_told(counts, mark=mark, meant=bool(spec_flags))}{asked}", markup=False
    )


def _write(out: Any, kept: "RecordLine | Mapping[str, Any]") -> None:
    """Pass a record on at once: byte by byte, or as it was marked."""
    from aide.dataset.lines import RecordLine
    from aide.shards import encode_line

    out.write(kept.raw + b"\n" if isinstance(kept, RecordLine) else encode_line(kept))
    out.flush()


def _told(counts: Counter[str], *, mark: bool, meant: bool) -> str:
    """What became of the records, in words."""
    ways = ("exact", "near", "meaning") if meant else ("exact", "near")
    found = ", ".join(f"{counts[way]:,} {way}" for way in ways)
    dropped = sum(counts[way] for way in ways)
    return f"{'marked' if mark else 'dropped'} {dropped:,} of {format_record_count(counts['read'], 'record')}: {found}"


def remove_semantic_duplicates(
    settings: Settings,
    journal: Path | None,
    known: "SeenTexts",
    records: "Iterable[RecordLine]",
    there: "Iterable[RecordLine]",
    told: "Told",
    take: "Callable[[RecordLine | Mapping[str, Any]], None]",
) -> str:
    """Hand on what repeats nothing by words or by meaning; returns what it took, in words.

    `there` are records that are there already.
    """
    from aide.dataset.semantic_duplicates import SemanticLineIndex
    from aide.engines import local
    from aide.run.folder import RunFolder
    from aide.run.single_steps import open_calls

    folder = RunFolder(journal or default_journal_folder(settings, ("dedup",)))
    pool = local.open_pool(settings.spec)
    order = local.order(settings.spec, settings.origins, (), folder, pool)

    def entered() -> "Iterator[RecordLine]":
        for line in there:
            known.enter(line)
            yield line

    async def main() -> str:
        try:
            async with open_calls(order) as calls:
                meant = SemanticLineIndex(calls, order.room)
                await meant.learn(known.seeds)
                await meant.enter(entered())
                async for each in meant.without_twins(records, known, told):
                    take(each)
                lost = "".join(
                    f"; {count:,} without embedding ({why})" for why, count in meant.unread.items()
                )
                return f"; {calls.made:,} calls{lost}"
        finally:
            await pool.close()

    return asyncio.run(main())


__all__ = ["dedup"]
