"""Write `docs/records.md` from the recorded runs of `aide demo`: `python docs/make_records_page.py`.

The records are drawn with the random seed of `aide records -n 10`; nobody picks them. A test fails while the page
differs from what this would write.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aide.dataset.lines import read_lines
from aide.dataset.sampling import sample_size
from aide.demo import open_demo, read_recordings
from aide.demo.recording import Recording
from aide.journal import Journal
from aide.records import Lineage, read_output, read_varying
from aide.run.folder import RunFolder
from aide.run.seed_pool import SEED

TARGET: Final = Path(__file__).with_name("records.md")
SIZE: Final = 10
RANDOM_SEED: Final = 0
WIDTH: Final = 100
HEAD: Final = """\
# Records of a real model

Twenty records out of the two recorded runs that come with aide, each beside the seed that it grew from. Nobody
picked them: they are what a fixed random seed draws, so that weak ones are as likely here as good ones. What answered
was a large language model; whether its answers are right was checked by nobody but the judge. The same records, on
your machine, without key or network:

```sh
aide demo --fast
aide records aide-demo/{first} -n {size}
aide records aide-demo/{second} -n {size}
```

`docs/make_records_page.py` writes this page. *Grown* says at which hop and by which operation, and what the record was
to be about: a topic, with attributes (topic / relation / attribute) or a persona. A plain record has only its length
and its form from the seed, and a topic of the whole task. *Grades* are those of the judge, from 1 to 10; `agreement`
counts the independent answers that gave the same result. [What these names mean](style.md#terms),
[how records are kept and judged](design/quality.md).
"""


def make_page() -> str:
    """The whole page."""
    recordings = read_recordings()
    with TemporaryDirectory() as scratch:
        folders = open_demo(Path(scratch) / "demo", recordings)
        sections = [_describe_run(each, folders[each.name]) for each in recordings.values()]
    first, second = (each.name for each in recordings.values())
    return "\n".join((HEAD.format(first=first, second=second, size=SIZE), *sections))


def _describe_run(recording: Recording, folder: RunFolder) -> str:
    summary = json.loads(folder.summary.read_bytes())
    chosen = sample_size(read_lines([str(folder.path)]), SIZE, seed=RANDOM_SEED)
    with Journal.open(folder.journal, readonly=True) as journal:
        seeds = sum(1 for _ in journal.read_decisions(SEED))
        blocks = [
            f"### {recording.name} {number}\n\n```text\n"
            + "\n".join(_describe(each.record, journal))
            + "\n```\n"
            for number, each in enumerate(chosen, 1)
        ]
    told = (
        f"Recorded on {recording.day}: {summary['accepted']} records from {seeds} seeds with {summary['calls']} calls; "
        f"{summary['rejected']} candidates were refused."
    )
    return "\n".join((f"## {recording.name}\n\n{told}\n", *blocks))


def _describe(record: Mapping[str, Any], journal: Journal) -> Iterator[str]:
    """Seed, parent where it is another record, record, origin and grades."""
    lineage = Lineage.from_dict(record["lineage"])
    seed = journal.get_decision(SEED, lineage.seed_id) or {}
    yield from _lay_out("seed", read_varying(seed))
    yield from _lay_out("answer", read_output(seed))
    outcome = journal.get_outcome(lineage.parent_id)
    if lineage.parent_id != lineage.seed_id and outcome:
        yield from _lay_out("parent", read_varying(json.loads(outcome.payload)))
    yield ""
    yield from _lay_out("record", read_varying(record))
    yield from _lay_out("answer", read_output(record))
    yield ""
    yield from _lay_out("grown", lineage.describe())
    scores = {name: value for name, value in record["scores"].items() if name != "fault"}
    grades = ", ".join(f"{name} {json.dumps(value).strip(chr(34))}" for name, value in scores.items())
    revised = "; written again after the judge's critique" if record["revisions"] else ""
    yield from _lay_out("grades", grades + revised)
    if fault := record["scores"].get("fault"):
        yield from _lay_out("fault", str(fault))


def _lay_out(name: str, text: str) -> Iterator[str]:
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, WIDTH) or [""]]
    for place, line in enumerate(lines or [""]):
        yield f"{'' if place else name:8}{line}".rstrip()


if __name__ == "__main__":
    TARGET.write_text(make_page(), encoding="utf-8")
