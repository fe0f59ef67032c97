"""`aide report`: a run as one HTML file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output


def report(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write (default DIR/report.html).", metavar="FILE"),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Write one HTML file that shows a run. It opens in any browser and needs no network."""
    from aide.report import write_report
    from aide.run.folder import RunFolder

    path = write_report(RunFolder(folder), out)
    Output().line(json.dumps({"report": str(path), "bytes": path.stat().st_size}) if json_ else str(path))
