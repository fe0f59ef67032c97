"""The card of a data set folder, with the front matter that the hub reads."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aide.config.spec import rename_settings
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import is_labelled
from aide.dataset.seed_sources import find_run_folders
from aide.exporters.base import ExportJob
from aide.formats import TaskCard
from aide.formats.label_sets import read_label_set
from aide.records import read_output

CARD: Final = "README.md"

MARK: Final = "<!-- written by aide export -->"
"""Stands in our own cards, so that one written by a person is never replaced."""

_SETTINGS: Final = (
    "hops", "target", "per_seed", "plain_share", "attributes", "operations", "personas", "duplicates", "agreement",
    "random_seed",
)  # fmt: skip
_HUB_TASK: Final = "text-generation"
_HUB_TASKS: Final[Mapping[str, str]] = {
    "classification": "text-classification", "multi_label": "text-classification",
    "multiple_choice": "multiple-choice", "yes_no": "question-answering",
}  # fmt: skip
"""Formats by the hub's names of tasks, where these are not the usual one."""
_NO_LANGUAGES: Final = ("un", "und", "xx", "mul")  # what detectors say of texts in none or several


@dataclass(slots=True)
class CardCounts:
    """Records as the card counts them."""

    splits: dict[str, int] = field(default_factory=dict)
    fields: dict[str, Counter[str]] = field(default_factory=dict)
    """Records by the values of some fields."""

    def count_lines(self, lines: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The same lines, counted as they pass."""
        for line in lines:
            record = line.record
            lineage = record.get("lineage") or {}
            self._count("hop", lineage.get("hop"))
            self._count("operation", lineage.get("operation"))
            self._count("format", record.get("format"))
            self._count("model", record.get("model"))
            if is_labelled(record):
                label = read_output(record)
                for each in read_label_set(label) or (label,):
                    self._count("label", each)
            yield line

    def _count(self, name: str, value: Any) -> None:
        if value not in (None, ""):
            self.fields.setdefault(name, Counter())[str(value)] += 1


def render_card(job: ExportJob, counts: CardCounts) -> str:
    """The card in Markdown, with the front matter that the hub reads."""
    import jinja2

    templates = jinja2.Environment(  # Markdown, not HTML: `inline` keeps foreign text from being markup
        loader=jinja2.PackageLoader("aide.exporters"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(commas=lambda number: f"{number:,}", inline=_escape_inline)
    return templates.get_template("dataset_card.md").render(
        mark=MARK,
        name=job.name,
        license=job.license,
        license_id=_name_license(job.license),
        language=_find_language(job.rendering.card),
        size=_name_size(sum(counts.splits.values())),
        tasks=sorted({_HUB_TASKS.get(name, _HUB_TASK) for name in counts.fields.get("format", [""])}),
        task=job.rendering.card.task if job.rendering.card else "",
        splits=counts.splits,
        total=sum(counts.splits.values()),
        counts=counts.fields,
        runs=list(_describe_runs(job.sources)),
        models=", ".join(_quote_code(model) for model in sorted(counts.fields.get("model", ()))),
    )


def _describe_runs(sources: Sequence[str]) -> Iterator[dict[str, str]]:
    for folder in find_run_folders(sources):
        manifest = folder.read_manifest()
        spec = rename_settings(manifest.get("spec", {}))
        given = {name: spec[name] for name in _SETTINGS if spec.get(name) not in (None, "", [])}
        seeds = ", ".join(_quote_code(Path(str(each["path"])).name) for each in manifest.get("seeds", ()))
        yield {
            "judge": _describe_judge(spec),
            "avoided": ", ".join(_quote_code(Path(str(path)).name) for path in spec.get("avoid") or ()),
            "version": manifest.get("aide", "?"),
            "seeds": seeds or "unknown",
            "settings": ", ".join(
                f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
                for name, value in given.items()
            ),
        }


def _describe_judge(spec: Mapping[str, Any]) -> str:
    """Who graded the records and from which grades on they were accepted; empty where nobody did."""
    if not spec.get("reflection", True):
        return ""
    model = ((spec.get("steps") or {}).get("reflect") or {}).get("model") or spec.get("model") or "a model"
    return (
        f"{_quote_code(str(model))} (accepted from relevance {spec.get('min_relevance', '?')}, "
        f"diversity {spec.get('min_diversity', '?')} of 10)"
    )


def _find_language(card: TaskCard | None) -> str:
    """The language's code as the hub has it, without script and region; empty where it is not known."""
    code = (card.language_code if card else "").partition("-")[0].lower()
    return code if re.fullmatch("[a-z]{2,3}", code) and code not in _NO_LANGUAGES else ""


def _name_license(given: str) -> str:
    """What the front matter says: an identifier, or `other` where the card's text alone can hold what was given."""
    name = given.strip().lower()
    return name if not name or re.fullmatch(r"[a-z][a-z0-9.-]*", name) else "other"


def _name_size(total: int) -> str:
    """The hub's category for so many records."""
    steps = ("1K", "10K", "100K", "1M", "10M", "100M")
    above = next((at for at in range(len(steps)) if total < 10 ** (at + 3)), len(steps))
    if not above:
        return f"n<{steps[0]}"
    return f"{steps[above - 1]}<n<{steps[above]}" if above < len(steps) else f"n>{steps[-1]}"


def _escape_inline(text: str) -> str:
    """Text on one line of Markdown, unable to become markup or a table cell."""
    plain = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in plain)


def _quote_code(text: str) -> str:
    """Text as code on one line of Markdown, where nothing is markup but the mark that ends it."""
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"
