"""The routes for files and batches. A batch is done after `seconds`, its lines in any order."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from aide.records import rng
from aide.simulator.faults import Faults, Reply, error

_FORM: Final = re.compile(
    rb'name="file"; filename="([^"]*)"\r\n(?:[^\r]+\r\n)*\r\n(.*)\r\n--[^\r\n]+--', re.DOTALL
)
_EXPIRED: Final = {
    "code": "batch_expired",
    "message": "This request could not be executed before the batch expired.",
}


@dataclass
class _Batch:
    row: dict[str, Any]
    requests: list[dict[str, Any]]
    due: float
    done: bool = field(default=False)


class SimulatedBatches:
    """Files and batches of one endpoint, in memory."""

    def __init__(
        self, answer: Callable[[Mapping[str, Any]], dict[str, Any]], faults: Faults, seconds: float
    ) -> None:
        """`answer` completes a request body."""
        self.served = 0
        """Requests that were answered, each once, however often its line came."""
        self._answer = answer
        self._faults = faults
        self._seconds = seconds
        self._numbers = count(1)
        self._files: dict[str, tuple[str, bytes]] = {}
        self._batches: dict[str, _Batch] = {}

    def handle(self, method: str, route: str, query: str, body: bytes | Mapping[str, Any]) -> Reply:
        """The reply of `/files…` or `/batches…`."""
        kind, *rest = route.strip("/").split("/")
        if kind == "files":
            return self._take_file(body) if method == "POST" else self._show_file(*rest)
        if method == "POST" and not rest:
            return self._take_batch(orjson.loads(body) if isinstance(body, bytes) else body)
        if not rest:
            return self._list(dict(parse_qsl(query)))
        batch = self._batches.get(rest[0])
        if batch is None:
            return 404, {}, error(f"no batch {rest[0]}", "invalid_request_error", 404)
        self._finish(batch, cancelled=rest[1:] == ["cancel"])
        return 200, {}, batch.row

    def _take_file(self, body: bytes | Mapping[str, Any]) -> Reply:
        found = _FORM.search(body) if isinstance(body, bytes) else None
        if found is None:
            return 400, {}, error("a form with a file is wanted", "invalid_request_error", 400)
        return self._show_file(self._keep(found[1].decode(), found[2]))

    def _keep(self, name: str, content: bytes) -> str:
        file = f"file-{next(self._numbers)}"
        self._files[file] = (name, content)
        return file

    def _show_file(self, file: str = "", part: str = "") -> Reply:
        if file not in self._files:
            return 404, {}, error(f"no file {file}", "invalid_request_error", 404)
        name, content = self._files[file]
        shown = {"id": file, "object": "file", "bytes": len(content), "filename": name, "purpose": "batch"}
        return 200, {}, content if part else shown

    def _take_batch(self, asked: Mapping[str, Any]) -> Reply:
        file = str(asked.get("input_file_id"))
        if file not in self._files:
            return 400, {}, error(f"no file {file}", "invalid_request_error", 400)
        requests = [orjson.loads(line) for line in self._files[file][1].splitlines()]
        row = {**asked, "id": f"batch_{next(self._numbers)}", "object": "batch", "status": "in_progress"}
        batch = _Batch(
            {**row, "created_at": int(time.monotonic())}, requests, time.monotonic() + self._seconds
        )
        self._batches[row["id"]] = batch
        return 200, {}, batch.row

    def _list(self, asked: Mapping[str, str]) -> Reply:
        names = list(reversed(self._batches))
        first = names.index(asked["after"]) + 1 if asked.get("after") in names else 0
        page = names[first : first + int(asked.get("limit", 20))]
        rows = [self._batches[name].row for name in page]
        return 200, {}, {"object": "list", "data": rows, "has_more": first + len(page) < len(names)}

    def _finish(self, batch: _Batch, *, cancelled: bool) -> None:
        if batch.done or (time.monotonic() < batch.due and not cancelled):
            return
        batch.done = True
        name = str(batch.row["id"])
        expired = bool(self._faults.draw(("expired",), name))
        # Half of what is broken off was answered before.
        most = len(batch.requests) // 2 if expired or cancelled else len(batch.requests)
        lines, failed = [], []
        for number, request in enumerate(batch.requests):
            key = request["custom_id"]
            if number >= most:
                failed.append({"custom_id": key, "response": None, "error": _EXPIRED})
            elif self._faults.draw(("failed",), key):
                said = {"status_code": 500, "body": error("The simulator failed here.", "server_error", 500)}
                failed.append({"custom_id": key, "response": said, "error": None})
            else:
                self.served += 1
                said = {"status_code": 200, "request_id": key, "body": self._answer(request["body"])}
                missing, twice = (self._faults.draw((kind,), key) for kind in ("missing", "twice"))
                lines += [{"custom_id": key, "response": said, "error": None}] * (
                    0 if missing else 2 if twice else 1
                )
        rng("batch", name).shuffle(lines)
        batch.row["status"] = "expired" if expired else "cancelled" if cancelled else "completed"
        for field_name, rows in (("output_file_id", lines), ("error_file_id", failed)):
            if rows:
                batch.row[field_name] = self._keep(field_name, b"\n".join(map(orjson.dumps, rows)))
