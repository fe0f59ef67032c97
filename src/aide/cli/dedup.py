"""`aide dedup`: remove duplicates; keep the first of each group."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aide.cli.arguments import Quiet, Sources
from aide.cli.asking import JOURNAL, default_journal_folder
from aide.cli.console import make_stderr_console
from aide.cli.options import with_options
from aide.config.resolve import Settings, resolve_settings
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aide.dataset.duplicates import SeenTexts
    from aide.dataset.hits import KeptLine
    from aide.dataset.lines import RecordLine
    from aide.dedup.lexical import LexicalDuplicate

    HandleDuplicate = Callable[[RecordLine, LexicalDuplicate], KeptLine | None]

Mode = Annotated[
    Literal["near", "exact"],
    typer.Option("--mode", help="near: also similar wording; exact: equal apart from case and punctuation."),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="SHARE",
        min=0.3,
        max=1.0,
        help="Similarity from which two texts are duplicates (default 0.7, or learned from the seeds).",
    ),
]
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seeds",
        metavar="FILE",
        help="Seeds: records that repeat one are removed, and the threshold is learned from them. "
        "Those of a run folder are found.",
    ),
]
Avoid = Annotated[
    list[str] | None,
    typer.Option("--avoid", metavar="FILE", help="Records to compare with, which are not written."),
]
Mark = Annotated[bool, typer.Option("--mark", help="Keep duplicates, with a field `duplicate`.")]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write every duplicate and its original as JSON lines."),
]


@with_options(
    "embeddings", "meaning_threshold", "base_url", "api_key_env", "api_key_command", "concurrency", "rpm", "tpm",
    "timeout", "endpoint_patience", "max_calls", "max_total_tokens", "max_cost", "price", "reuse",
)  # fmt: skip
def dedup(
    sources: Sources = None,
    mode: Mode = "near",
    threshold: Threshold = None,
    seeds: Seeds = None,
    avoid: Avoid = None,
    mark: Mark = False,
    report: Report = None,
    quiet: Quiet = False,
    journal: JOURNAL = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Remove duplicates; keep the first of each group. The checks are those of a run.

    The varying part of the input is compared, for multiple choice together with the correct option. Each
    record that is kept takes about 300 bytes of memory. With --embeddings, records that mean the same are
    removed too: only texts with new wording are embedded, none is paid for twice, and memory doubles.
    """
    from aide.dataset.duplicates import index_seeds, remove_duplicates
    from aide.dataset.hits import HitLog
    from aide.dataset.lines import STDOUT, RecordLine, open_output, read_lines, write_line
    from aide.dataset.seed_sources import load_seeds_of

    if not spec_flags.get("embeddings") and (spec_flags or journal):
        raise InputError("nothing is asked of an endpoint", hint="name the model with --embeddings MODEL")
    seen = index_seeds(load_seeds_of(sources or (), seeds or ()), mode, threshold)
    others = read_lines(avoid) if avoid else ()
    calls = ""

    def handle(line: RecordLine, original: "LexicalDuplicate") -> dict[str, Any] | None:
        found = {"of": original.id, "how": original.how, "similarity": original.similarity}
        return log.add(line, original.how, found)

    with HitLog.open("duplicate", mark=mark, report=report) as log, open_output(STDOUT) as out:
        lines = log.count_lines(read_lines(sources or ()))
        if spec_flags:
            # A run needs a chat model; none is called here, but its settings must be complete.
            flags = {"model": spec_flags["embeddings"], **spec_flags}
            settings = resolve_settings(flags, environ=os.environ, config=config)
            write = partial(write_line, out)
            calls = remove_semantic_duplicates(settings, journal, seen, lines, others, handle, write)
        else:
            for line in others:
                seen.enter(line)
            for kept in remove_duplicates(lines, seen, handle):
                write_line(out, kept)
    kinds = ("exact", "near", "meaning") if spec_flags else ("exact", "near")
    counts = ", ".join(f"{log.counts[kind]:,} {kind}" for kind in kinds)
    make_stderr_console(quiet=quiet).print(
        f"{log.outcome} of {format_plural(log.read, 'record')}: {counts}{calls}", markup=False
    )


def remove_semantic_duplicates(
    settings: Settings,
    journal: Path | None,
    seen: "SeenTexts",
    lines: "Iterable[RecordLine]",
    others: "Iterable[RecordLine]",
    handle: "HandleDuplicate",
    write: "Callable[[KeptLine], None]",
) -> str:
    """Write the lines that repeat no other by their words or their meaning; returns the calls made, in words.

    `others` are compared with and not written.
    """
    from aide.dataset.semantic_duplicates import SemanticLineIndex
    from aide.engines.local import LocalModels
    from aide.run.folder import RunFolder
    from aide.run.session import RunRequest, open_session
    from aide.run.single_steps import HELD_HINT

    folder = RunFolder(journal or default_journal_folder(settings, ("dedup",)))
    models = LocalModels(settings.spec)
    request = RunRequest(settings.spec, settings.origins, (), folder)

    def enter_words() -> "Iterator[RecordLine]":
        for line in others:
            seen.enter(line)
            yield line

    async def main() -> str:
        try:
            async with open_session(request, models, held_hint=HELD_HINT) as session:
                meanings = SemanticLineIndex(
                    session.embeddings, 2 * models.capacity, settings.spec.meaning_threshold
                )
                await meanings.learn(seen.seeds)
                await meanings.enter(enter_words())
                async for kept in meanings.remove_duplicates(lines, seen, handle):
                    write(kept)
                failed = "".join(
                    f"; {count:,} without embedding ({why})" for why, count in meanings.failures.items()
                )
                return f" from {meanings.threshold:.2f}; {session.calls.made:,} calls{failed}"
        finally:
            await models.close()

    return asyncio.run(main())
