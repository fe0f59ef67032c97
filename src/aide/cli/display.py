"""Seeing a run: a live picture on a terminal, a line now and then elsewhere, a summary at the end."""

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

from aide.cli.console import escape_for_console, format_json_line, list_counts, print_pairs, strip_markup
from aide.cli.keyboard import SilentKeyboard
from aide.cli.picture import describe_trouble, draw_picture
from aide.cli.task_card import describe_card_rows
from aide.errors import AideError
from aide.text.figures import format_count, format_duration, format_left, format_plural, format_rate

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.live import Live

    from aide.cli.streaming import StdoutStream
    from aide.config.spec import RunSpec
    from aide.formats import TaskCard
    from aide.judging.precheck import Precheck
    from aide.llm.health import Trouble
    from aide.run.folder import RunFolder
    from aide.run.inputs import PreparedInputs
    from aide.run.progress import Progress

LINE = 10.0  # seconds between two lines off a terminal
READING = 3.0  # seconds that a record stays in the picture
LONGEST = 400  # columns of a text that came from elsewhere


class Display:
    """What a person sees on stderr: a `run.expansion.RunObserver`.

    Every line goes to `aide.log` as well, with its time.
    """

    def __init__(
        self,
        console: "Console",
        folder: "RunFolder",
        stream: "StdoutStream | None" = None,
        *,
        log_format: str = "text",
        progress: str = "auto",
    ) -> None:
        """`stream` is where records go, whose reader may be behind; `log_format` is `text` or `json`.

        `progress` is `auto` (a picture on a terminal, else lines), `plain` (lines) or `off`.
        """
        self.console = console
        self._stream = stream
        self._told_at = time.monotonic()
        self.folder = folder
        self.json = log_format != "text"
        self.expected: dict[str, Any] = {}
        self.expected_money: float | None = None
        self._live: Live | None = None
        self._progress = progress
        self._keyboard = SilentKeyboard()
        self._record: Mapping[str, Any] | None = None
        self._record_since = 0.0
        self._shown: set[str] = set()
        self._kept: list[str] = []
        self._troubled = False
        self._unlogged = False
        self._remedies = "add seeds"
        self.previewed = False  # whether answers that are taken over are those of previews

    # --- lines ----------------------------------------------------------------------------------------

    def tell(self, line: str, event: str = "note", **facts: Any) -> None:
        """One line to stderr and to the log; `line` is ours, model text in it has been made safe."""
        now = datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 - the log's clock
        stamp = now.isoformat(timespec="seconds")
        if self.json:
            structured = format_json_line({"at": stamp, "event": event, **facts})
            self._log(structured)
            self.console.print(structured, markup=False)
        else:
            self._log(f"{stamp} {strip_markup(line)}")
            self.console.print(line)

    def _log(self, entry: str) -> None:
        self._kept.append(entry)
        if self.folder.lock.exists():  # before that it may be somebody's own
            try:
                with self.folder.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                    log.writelines(f"{line}\n" for line in self._kept)
            except OSError as fault:
                # The same lines go to stderr; a run must not end for want of a copy. Said once.
                if not self._unlogged:
                    self._unlogged = True
                    self.console.print(f"{self.folder.log} can't be written: {fault.strerror}", markup=False)
            self._kept.clear()

    def plan(self, spec: "RunSpec", inputs: "PreparedInputs", card: "TaskCard") -> None:
        """The plan's line, before anything is spent."""
        for problem in inputs.loaded.problems[:20]:
            self.tell(f"skipped {escape_for_console(str(problem))}", "skipped", problem=str(problem))
        from aide.run.plan import make_plan, read_experience
        from aide.run.plan.ceiling import name_remedies
        from aide.run.plan.measured_speed import read_speed, speed_file

        self._remedies = name_remedies(spec)
        plan = make_plan(spec, inputs, card, read_experience(self.folder), read_speed(spec, speed_file()))
        expected, goal = plan.expected, plan.target
        self.expected = expected.as_dict(spec)
        self.expected_money = money = expected.money(spec)
        wanted = (
            f"{goal:,} records"
            if goal is not None
            else f"the whole tree, about {expected.records:,} records,"
        )
        cost = "cost unknown (--price tells)" if money is None else f"{money:.2f} USD"
        facts = [f"about {expected.calls:,} calls", f"{format_count(expected.tokens)} tokens", cost]
        if expected.seconds is not None and expected.calls:
            facts.append(format_duration(expected.seconds))
        self.tell(
            f"seeds: {escape_for_console(inputs.loaded.shape)} Format: {inputs.format.name}.",
            "seeds",
            seeds=len(inputs.seeds),
            shape=inputs.loaded.shape,
            format=inputs.format.name,
        )
        for note in inputs.notes:
            self.tell(f"note: {escape_for_console(note)}", "note", note=note)
        hops = format_plural(spec.hops, "hop")
        self.tell(
            f"plan: {wanted} over {hops}; {', '.join(facts)}",
            "plan",
            target=goal,
            hops=spec.hops,
            **self.totals,
        )

    def resumed(self, progress: Mapping[str, Any]) -> None:
        """What earlier sessions left in the folder, if anything."""
        if calls := progress.get("calls", 0):
            records = progress.get("accepted", 0)
            self.tell(
                f"the folder already has {format_plural(records, 'record')}, from {format_plural(calls, 'call')}; "
                "no answer is paid for again",
                "resumed",
                records=records,
                calls=calls,
            )

    @property
    def totals(self) -> dict[str, Any]:
        """The sums of the estimate, without its parts."""
        return {name: value for name, value in self.expected.items() if name not in ("steps", "hops")}

    def already(self, summary: Mapping[str, Any], target: int | None = None) -> None:
        """A rerun of a finished run; `target` is how many records are asked for."""
        records, place = summary.get("accepted", 0), escape_for_console(str(self.folder.path))
        asked = f", and {target:,} are asked for" if target is not None and target < records else ""
        told = f"nothing to do: {place} is finished with {format_plural(records, 'record')}{asked}"
        self.tell(told, "finished", accepted=records)

    def on_card(self, card: "TaskCard", traits: Sequence[tuple[str, str]] = ()) -> None:
        """What the run takes the task to be, before the first record; told once by a command of several sessions."""
        if "card" in self._shown:
            return
        self._shown.add("card")
        self.tell(
            self._head_card(), "task card", path=str(self.folder.card), traits=dict(traits), **asdict(card)
        )
        if not self.json:
            rows = describe_card_rows(card, traits)
            for name, text in rows:
                self._log(f"  {name:8}  {strip_markup(text)}")
            print_pairs(self.console, rows)

    def _head_card(self) -> str:
        return f"task card, kept in {escape_for_console(str(self.folder.card))}:"

    def on_precheck(self, precheck: "Precheck") -> None:
        """How model and judge did on the seeds, the misses by name, and what to think of it; told once as the card."""
        if "precheck" in self._shown:
            return
        self._shown.add("precheck")
        self.tell(escape_for_console(precheck.describe(), LONGEST), "exam", **precheck.as_dict())
        for line in precheck.list_misses():
            self.tell(f"  {escape_for_console(line, LONGEST)}", "exam miss", miss=line)
        for warning, hint in precheck.list_warnings():
            self.tell(
                f"warning: {escape_for_console(warning, LONGEST)}; {escape_for_console(hint, LONGEST)}",
                "warning",
                warning=warning,
                hint=hint,
            )

    # --- while it runs --------------------------------------------------------------------------------

    def on_progress(self, progress: "Progress") -> None:
        """Draw the picture anew, or say a line now and then where there is no terminal."""
        self.note_reused(progress.reused)
        if self._progress == "off":
            return
        drawn = self._progress == "auto" and self.console.is_terminal and not self.json
        if self._live is None and drawn and not self.console.quiet:
            self._open_live()
        now = time.monotonic()
        if self._live is not None:
            self._keyboard.start()
            unread = self._stream.behind if self._stream else 0
            self._live.update(draw_picture(progress, self.console.width, unread, self._roll(progress, now)))
        elif now - self._told_at >= LINE:
            self._told_at = now
            self.tell(_line(progress), "progress", **progress.as_dict())

    def note_reused(self, calls: int) -> None:
        """Say once that answers of previews are taken over, as soon as one was."""
        if calls and self.previewed and "reused" not in self._shown:
            self._shown.add("reused")
            self.tell("answers of `aide preview` to the same calls are taken over", "preview")

    def _roll(self, progress: "Progress", now: float) -> Mapping[str, Any] | None:
        """The record that is shown: the newest one, for as long as it takes to read it."""
        if progress.latest is not self._record and now - self._record_since >= READING:
            self._record, self._record_since = progress.latest, now
        return self._record

    def on_trouble(self, trouble: "Trouble | None") -> None:
        """Say once that nothing is answered any more, and once that it is again."""
        if (trouble is not None) == self._troubled:
            return
        self._troubled = trouble is not None
        if trouble is None:
            self.tell("the endpoint answers again", "recovered")
            return
        now = time.time()  # noqa: TID251 - shown to a person
        since, until = (
            datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
            for at in (now - trouble.seconds, now + trouble.left)
        )
        self.tell(
            f"no answer since {since}: {escape_for_console(trouble.reason, LONGEST)}; tried until {until}",
            "trouble",
            since=since,
            until=until,
            reason=trouble.reason,
        )

    def _open_live(self) -> None:
        from rich.live import Live

        self._live = Live(console=self.console, refresh_per_second=5, transient=True)
        self._keyboard.start()
        self._live.start()

    def close(self) -> None:
        """Take the live picture away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._keyboard.stop()

    # --- at the end -----------------------------------------------------------------------------------

    def draining(self, seconds: float) -> None:
        """The first interruption was heard; what is on the wire has so many seconds."""
        self.tell(
            f"stopping: what is on the wire has {seconds:g} s to come and is written; a second Ctrl-C stops at once",
            "draining",
            seconds=seconds,
        )

    def stopped(self, stop: AideError, summary: Mapping[str, Any]) -> None:
        """A run that was stopped: why, what to do, where it stands. Told even where all else is quiet."""
        quiet, self.console.quiet = self.console.quiet, False
        hint = f"; {escape_for_console(stop.hint, LONGEST)}" if stop.hint else ""
        self.tell(
            f"stopped: {escape_for_console(str(stop), 2 * LONGEST)}{hint}",
            "stopped",
            reason=str(stop),
            hint=stop.hint,
            exit_code=stop.exit_code,
        )
        self.console.quiet = quiet
        if summary:
            self.tell(format_totals(summary), "totals", **_counts(summary))

    def keep(self, fault: BaseException) -> "Path | None":
        """Put the traceback of a fault of ours into the log; returns the log, `None` without a folder."""
        self._log("".join(traceback.format_exception(fault)).rstrip())
        return self.folder.log if self.folder.log.exists() else None

    def done(self, summary: Mapping[str, Any]) -> None:
        """The final summary: what came out, where it is, and three records beside their seed and parent."""
        self.tell(format_totals(summary), "done", **_counts(summary))
        if summary.get("reasons"):
            self.tell(f"not accepted: {list_counts(summary['reasons'])}", "reasons", **summary["reasons"])
        if summary.get("barren_reasons"):
            reasons = summary["barren_reasons"].items()
            why = ", ".join(f"{escape_for_console(reason)} {n:,}" for reason, n in reasons)
            told = f"without attributes, so nothing grew there: {why}"
            self.tell(told, "barren", **summary["barren_reasons"])
        accepted, thoughtful = summary["accepted"], summary.get("thoughtful")
        if thoughtful is not None and thoughtful < accepted:
            self.tell(
                f"{accepted - thoughtful:,} of {format_plural(accepted, 'record')} without reasoning: the model showed "
                "none before its answer (--reasoning drop saves the calls that ask for it)",
                "without reasoning",
                count=accepted - thoughtful,
            )
        if waiting := summary.get("waiting_labels"):
            named = list_counts(waiting, "{} ({:,})")
            self.tell(
                f"seeds of labels that the card lacks wait: {named}; --new-labels add takes them in",
                "waiting labels",
                **waiting,
            )
        rejects = escape_for_console(str(self.folder.rejects)) if self.folder.rejects.exists() else ""
        if summary["exit_code"] == 6:
            look = f"; {rejects} says what was refused" if rejects else ""
            why = f"the tree and its further draws are exhausted; {self._remedies}{look}"
            if not summary["accepted"]:
                why = f"nothing was accepted{f'; {rejects} says why' if rejects else ''}"
            self.tell(f"short of the target: {why}", "short")
        records = escape_for_console(f"{self.folder.shards}/part-*.jsonl")
        self.tell(
            f"records: {records}{f'   rejects: {rejects}' if rejects else ''}",
            "where",
            records=str(self.folder.shards),
        )
        if not self.json and not self.console.quiet:
            from aide.cli.record_preview import print_previews
            from aide.run.record_preview import read_previews

            print_previews(self.console, read_previews(self.folder))

    def card_ready(self) -> None:
        """The end of `--card-only`: where the card is, and what comes next."""
        self.tell(
            f"edit {escape_for_console(str(self.folder.card))}, then run the same command without --card-only; "
            "no answer is paid for twice",
            "card ready",
            path=str(self.folder.card),
        )

    def report(self) -> None:
        """Write `report.html`; where that fails the run is what it was, and the reason is told."""
        from aide.report import write_report

        try:
            path = write_report(self.folder)
        except Exception as fault:  # noqa: BLE001 - the run is paid for and whole, whatever its picture meets
            problem = str(fault) if isinstance(fault, AideError) else f"{type(fault).__name__}: {fault}"
            told = f"no report was written: {escape_for_console(problem, LONGEST)}"
            self.tell(told, "report", problem=problem)
            if not isinstance(fault, AideError):
                self.keep(fault)
        else:
            self.tell(f"report: {escape_for_console(str(path))}", "report", path=str(path))
            if self.console.is_terminal:
                here = escape_for_console(quote(str(self.folder.path)))
                self.tell(f"next: aide review {here}", "next")
                self.tell(f"then: aide export {here} --to trl --split 90/10 -o train", "next")


def _counts(summary: Mapping[str, Any]) -> dict[str, Any]:
    names = ("accepted", "rejected", "failed", "surplus", "calls", "cost")
    return {name: summary.get(name) for name in names}


def format_totals(summary: Mapping[str, Any]) -> str:
    """What a run has come to, in one line."""
    tokens = summary.get("tokens", {})
    total = tokens.get("prompt", 0) + tokens.get("completion", 0)
    cost = "cost ?" if summary.get("cost") is None else f"{summary['cost']:.2f} USD"
    hops = ", ".join(f"hop {hop} {n:,}" for hop, n in summary.get("by_hop", {}).items())
    counts = ", ".join(
        f"{name} {summary.get(name, 0):,}" for name in ("rejected", "failed", "surplus") if summary.get(name)
    )
    each = summary.get("calls_per_record")
    return (
        f"accepted {summary.get('accepted', 0):,} of {summary.get('planned', 0):,} candidates"
        f"{f' ({hops})' if hops else ''}{f'; {counts}' if counts else ''}; "
        f"{summary.get('calls', 0):,} calls{f' ({each:g} a record)' if each else ''}, "
        f"{format_count(total)} tokens, {cost}"
    )


def _line(progress: "Progress") -> str:
    left = None if progress.seconds_left is None else format_left(progress.seconds_left)
    pace = ", ".join(filter(None, (format_rate(progress.rate), left)))
    return (
        f"accepted {progress.accepted:,} of {progress.goal:,}, rejected {progress.rejected:,}, "
        f"failed {progress.failed:,}; {progress.usage.calls:,} calls, {progress.in_flight} in flight"
        f"{pace and f'; {pace}'}{describe_trouble(progress)}"
    )
