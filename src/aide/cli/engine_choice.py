"""`--engine`: what each way to run asks of the command, and how it is shown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aide.cli.console import escape_for_console
from aide.cli.display import Display, format_totals
from aide.config.partition import Partition
from aide.config.resolve import Settings
from aide.config.spec import RunSpec
from aide.errors import InputError

if TYPE_CHECKING:
    from aide.run.folder import RunFolder

LOCAL: Final = "local"


class PartsDisplay(Display):
    """The display of a run in parts, whose counts are those of all together."""

    def done(self, summary: Mapping[str, Any]) -> None:
        """The totals, and what comes next."""
        self.tell(
            format_totals(summary), "done", **{name: summary.get(name) for name in ("accepted", "calls")}
        )
        if summary["exit_code"] == 6:
            self.tell("short of the target: the parts are merged first, then what is short is grown", "short")
        here = escape_for_console(str(self.folder.path))
        self.tell(f"next: aide merge {here}", "next", path=str(self.folder.path))

    def report(self) -> None:
        """The report is of the whole: it comes with the merge."""


def enter_run(spec: RunSpec, folder: "RunFolder", seeds: Sequence[str], out: str | None) -> RunSpec:
    """The settings of a run in this folder, refused where its engine can't run it.

    Raises:
        InputError: before anything is spent.
    """
    from aide.run.parts import enter_part

    if spec.engine == LOCAL:
        if spec.parts is not None:
            raise InputError(
                "--parts divides a run on a cluster",
                hint="add --engine ray, or run each part with --partition I/N",
            )
        return enter_part(spec, folder)
    if _is_merged(folder):  # its parts are done, and what is short is little
        return enter_part(spec.model_copy(update={"engine": LOCAL, "parts": None}), folder)
    _refuse_undividable(spec, folder, seeds, out)
    return spec


def _is_merged(folder: "RunFolder") -> bool:
    from aide.run.parts import MERGED

    return bool(folder.read_manifest().get(MERGED))


def _refuse_undividable(spec: RunSpec, folder: "RunFolder", seeds: Sequence[str], out: str | None) -> None:
    from aide.engines.ray import require_ray
    from aide.streams import is_stream

    if spec.part is not None:
        raise InputError("--engine ray runs all parts", hint="leave out --partition, or --engine")
    if out == "-":
        raise InputError("-o - streams the records of one process", hint="name a folder with -o DIR")
    if any(map(is_stream, seeds)):
        raise InputError(
            "seeds from a stream can be read by one process alone", hint="name a file that all nodes see"
        )
    if spec.batch:
        raise InputError(
            "--batch needs one process alone: the endpoint does the work", hint="leave --engine ray out"
        )
    require_ray()
    if folder.shards.is_dir() and any(folder.shards.iterdir()):
        raise InputError(
            f"{folder.path} holds the records of one process, and parts would make them again",
            hint="name another folder with -o DIR, or go on without --engine ray",
        )


def read_finished_run(
    settings: Settings, folder: "RunFolder", seeds: Sequence[str]
) -> Mapping[str, Any] | None:
    """The summary of this very run where nothing is left to do in it, or in any part of it; else `None`."""
    from aide.run.finished import read_finished

    spec = settings.spec
    if spec.engine == LOCAL:
        return read_finished(folder, spec, seeds)
    from aide.engines.ray import enter_own_part, summarise_parts
    from aide.run.parts import list_parts

    parts = list_parts(folder.path)
    count = next(iter(parts)).count if parts else 0
    if not parts or len(parts) < count or spec.parts not in (None, count) or spec.card_only:
        return None
    for index in range(count):
        own, place = enter_own_part(spec, settings.origins, folder, Partition(index, count))
        if read_finished(place, own, seeds) is None:
            return None
    return summarise_parts(folder)


def choose_display(spec: RunSpec) -> type[Display]:
    """How a run of these settings is shown."""
    return Display if spec.engine == LOCAL else PartsDisplay
