"""Batches of an endpoint: its routes `/files` and `/batches`, in OpenAI's shape or one that is made after it."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aide.config.prices import BATCH
from aide.errors import CallError, EndpointUnusable, NodeError
from aide.llm.batches import ROUTE, BatchLine, BatchState, name_file, parse_line
from aide.llm.faults import decode_json
from aide.llm.request import ChatRequest

if TYPE_CHECKING:
    from aide.llm.worker import EndpointWorker

WAVE: Final = "aide_wave"  # the field of a batch's metadata that holds the name of its wave
WINDOW: Final = "24h"  # the only one that all services have
PAGE: Final = 100  # batches that are listed at once
# Batches are listed youngest first. One that was composed a day after the oldest of a page stands on none behind it.
FORGOTTEN: Final = 86_400.0


class BatchApi:
    """The batches of an endpoint."""

    def __init__(self, worker: "EndpointWorker", name_model: Callable[[str], str]) -> None:
        """`name_model` tells what a model is called there."""
        self.where = worker.endpoint.base_url
        self.endpoint = worker.endpoint.name
        self._client = worker.client
        self._get_profile = worker.get_profile
        self._name_model = name_model
        host = urlsplit(self.where).hostname or ""
        self._purpose = "batch-api" if host.startswith("api.together.") else BATCH

    def prepare(self, request: ChatRequest) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """See `BatchService`."""
        model = self._name_model(request.model)
        profile = self._get_profile(model)
        return profile.build_body(request, model) if profile.covers(request) else None

    def describe_command(self, wave: str, model: str) -> str:
        """See `BatchService`."""
        return ""

    async def submit(self, wave: str, model: str, lines: Sequence[bytes]) -> str:
        """See `BatchService`."""
        content, kind = _pack_form({"purpose": self._purpose}, name_file(wave), b"\n".join(lines) + b"\n")
        file = await self._fetch("POST", "/files", content, content_type=kind)
        asked = {
            "input_file_id": file.get("id"),
            "endpoint": ROUTE,
            "completion_window": WINDOW,
            "metadata": {WAVE: wave},
        }
        # Sent once: a second one would be a second batch, and paid for.
        taken = _unwrap(await self._fetch("POST", "/batches", asked, resend=False))
        if not isinstance(taken.get("id"), str):
            raise EndpointUnusable("the endpoint gave no id to a batch", hint="go on without --batch")
        return str(taken["id"])

    async def find(self, wave: str, composed: float) -> str:
        """See `BatchService`."""
        after = ""
        while True:
            page = await self._fetch("GET", f"/batches?limit={PAGE}{after}")
            rows = [_unwrap(row) for row in page.get("data") or ()]
            for row in rows:
                if (row.get("metadata") or {}).get(WAVE) == wave or await self._has_file(row, wave):
                    return str(row["id"])
            created = [row["created_at"] for row in rows if isinstance(row.get("created_at"), int | float)]
            if not rows or not page.get("has_more") or (created and min(created) < composed - FORGOTTEN):
                return ""
            after = f"&after={rows[-1].get('id')}"

    async def _has_file(self, row: Mapping[str, Any], wave: str) -> bool:
        """True when a batch without metadata was made of the wave's file, which has its name."""
        if row.get("metadata") or not row.get("input_file_id"):
            return False
        found = await self._client.fetch("GET", f"/files/{row['input_file_id']}")
        file = decode_json(found or b"")
        return isinstance(file, Mapping) and file.get("filename") == name_file(wave)

    async def look(self, batch: str) -> BatchState | None:
        """See `BatchService`."""
        found = await self._client.fetch("GET", f"/batches/{batch}")
        if found is None:
            return None
        row = _unwrap(decode_json(found) or {})
        files = [row.get(name) for name in ("output_file_id", "error_file_id")]
        return BatchState(
            str(row.get("status", "")).lower(), tuple(file for file in files if file), _read_errors(row)
        )

    async def read_lines(self, state: BatchState) -> AsyncIterator[BatchLine]:
        """See `BatchService`."""
        for file in state.files:
            content = await self._client.fetch("GET", f"/files/{file}/content")
            if content is None:  # to take it for an empty one would be to pay again
                raise CallError(f"the file {file} of a batch that has ended is not there", kind="server")
            for line in content.splitlines():
                if (parsed := parse_line(line)) is not None:
                    yield parsed

    async def cancel(self, batch: str) -> None:
        """See `BatchService`."""
        await self._client.fetch("POST", f"/batches/{batch}/cancel", {})

    async def _fetch(self, method: str, path: str, body: Any = None, **how: Any) -> dict[str, Any]:
        """The JSON object that a route answers; it must be there."""
        try:
            found = await self._client.fetch(method, path, body, **how)
        except NodeError as refused:
            raise EndpointUnusable(
                f"the endpoint refuses a batch: {refused}", hint="go on without --batch"
            ) from None
        if found is None:
            hint = "go on without --batch, or with --batch files:DIR and vllm run-batch"
            raise EndpointUnusable(
                f"{self.where} takes no batches: it has no {path.partition('?')[0]}", hint=hint
            )
        data = decode_json(found)
        return {"data": data} if isinstance(data, list) else data if isinstance(data, dict) else {}


def _unwrap(row: Any) -> dict[str, Any]:
    """A batch, which some services put into an envelope."""
    inner = row.get("job") if isinstance(row, Mapping) else None
    return dict(inner if isinstance(inner, Mapping) else row if isinstance(row, Mapping) else {})


def _read_errors(row: Mapping[str, Any]) -> str:
    """Why a batch failed as a whole, in the service's words."""
    errors = row.get("errors") or row.get("error")
    rows = errors.get("data") if isinstance(errors, Mapping) else errors
    if isinstance(rows, list):
        return "; ".join(
            str(each.get("message") or each.get("code")) for each in rows[:3] if isinstance(each, Mapping)
        )
    return str(rows or "")


def _pack_form(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """A form with a file, and its content type (RFC 7578)."""
    boundary = "aide-" + "".join(f"{byte:02x}" for byte in os.urandom(12))
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts += [
        f"{head}Content-Type: application/jsonl\r\n\r\n".encode(),
        content,
        f"\r\n--{boundary}--\r\n".encode(),
    ]
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
