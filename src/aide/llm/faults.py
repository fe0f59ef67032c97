"""Reads what a server says went wrong, in any of the shapes servers have for it, and maps it once to a scope.

Status codes lie: one server says 400 where the next says 404, 422 or 500 for the same thing. So words decide
first, and the status where they say nothing: a full context window, a filter, a spent quota, a bad key and an
unknown model are known by code, type or wording, whichever status carries them. The patterns are the wordings of
real servers.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from aide.errors import AideError, CallError, EndpointUnusable, NodeError
from aide.jsonl import encode_json, parse_json
from aide.llm.waits import NO_RESET, Reset, read_reset, read_retry_after

SHOWN: Final = 300  # characters of a message that a person is shown
READ: Final = 2000  # characters that are searched for words: some servers repeat the whole prompt after them
# These speak of the moment, never of a request.
GATEWAY: Final = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 529})

_TOO_LONG: Final = re.compile(
    r"context_length_exceeded|exceed_context_size|contextwindowexceeded|exceed(s|ed)? (the )?"
    r"(model's )?(maximum )?(available )?context|maximum context (length|limit)|"
    r"longer than the model's context|"
    r"input tokens exceed the configured limit|`inputs` tokens \+ `max_new_tokens` must be|"
    r"exceeds the maximum number of tokens allowed|current length is .*while limit is|"
    r"too large for model with|context the overflows|prompt is too long|"
    r"request entity too large|request too large"
)
_FILTERED: Final = re.compile(
    r"content_filter|content_policy|content management policy|response was filtered|"
    r"requires moderation|flagged"
)
_QUOTA: Final = re.compile(
    r"insufficient_quota|insufficient_balance|insufficient balance|insufficient credits|"
    r"credit_balance_exhausted|credit balance|spend_limit_exceeded|organization_usage_limit_exceeded|"
    r"exceeded your current quota|"
    r"billing_hard_limit|rate_limit_daily|requestsperday|per_?day|"
    r"included credits|free allocation|daily_quota|account.{0,40}suspended|account_suspended"
)
# An allowance of a day or longer that is used up: no wait within a run's patience brings it back. "86400s" is Azure's
# day. Messages that list all limits of an account name minutes as well, and mostly mean those.
_ALLOWANCE: Final = re.compile(
    r"\b(daily|weekly|monthly|(per|by|a|each)[- _]?(day|week|month)|86,?400 ?s(ec)?|tpd|rpd)\b|byday\b"
)
_COUNTED: Final = re.compile(r"limit|quota|allowance|allocation|credit|request|usage")
_SHORT_TERM: Final = re.compile(r"\b(per|a|each)[- _]?(minute|min|second|sec)\b|\b[rt]pm\b")
LONG_RESET: Final = 3600.0  # seconds until a count starts anew, from which on it is an allowance and no pace
_BAD_KEY: Final = re.compile(
    r"invalid_api_key|incorrect api key|invalid api key|api key not valid|"
    r"api[_ ]key.{0,30}(invalid|missing|expired)|no api key|no connected db|no_db_connection|"
    r"authentication_error|auth_error|unauthorized|unauthenticated"
)
_NO_MODEL: Final = re.compile(
    r"model_not_found|model_not_available|invalid model|model [^ ]* ?(does not exist|not found|is not found)|"
    r"model .{0,120}(does not exist|not found|not supported for|is not available|decommissioned)|"
    r"unknown model|no such model|no endpoints found for|server is pinned to|is not a valid model"
)
_NO_PROVIDER: Final = re.compile(r"no endpoints found that|no provider .{0,40}support")
_ONE_CALL: Final = re.compile(r"json_validate_failed|failed_generation")


@dataclass(frozen=True, slots=True)
class WireFault:
    """What a server said of a failed exchange."""

    status: int
    message: str
    code: str = ""
    type: str = ""
    param: str = ""
    """The field of the request that is at fault, where the server names one."""
    wait: float | None = None
    """Seconds that the server asks to wait."""
    resets: Reset = NO_RESET
    """When a count of the server's starts anew, where it says that nothing is left of it."""
    location: str = ""
    """Where a redirect leads to."""
    mark: str = ""
    """A hash of the body: equal bodies have equal marks."""

    @property
    def excerpt(self) -> str:
        """The message, cut to what a person wants to read."""
        return self.message if len(self.message) <= SHOWN else self.message[: SHOWN - 1] + "…"

    @property
    def said(self) -> str:
        """Code, type, parameter and message in lower case, to look for words in."""
        return f"{self.code} {self.type} {self.param} {self.message}".lower()


class RequestRefused(NodeError):
    """The endpoint refuses the request as it stands; adapting it to the endpoint may heal that."""

    def __init__(self, fault: WireFault) -> None:
        super().__init__(
            "bad_request", f"the endpoint refuses the request ({fault.status}): {fault.excerpt}", failed=True
        )
        self.fault = fault


class ServerFault(CallError):
    """A 5xx: a fault of the moment or, where the same comes again for the same request, of the request."""

    def __init__(self, fault: WireFault) -> None:
        super().__init__(
            f"server error {fault.status}: {fault.excerpt}", kind="server", retry_after=fault.wait
        )
        self.fault = fault


class UnknownModel(EndpointUnusable):
    """The endpoint does not serve the model; which it serves, it may list."""


class WrongPath(EndpointUnusable):
    """Nothing is served at this path; another spelling of the base URL may do."""


def decode_json(body: bytes) -> Any:
    """The JSON value of a body, raw control characters and lone surrogates allowed; `None` where there is none."""
    with suppress(ValueError):
        try:
            return parse_json(body)
        except UnicodeDecodeError:
            return parse_json(body.decode("utf-8", "replace"))
    return None


def read_answer(status: int, headers: Mapping[str, str], body: bytes, url: str) -> Mapping[str, Any]:
    """The decoded body of a chat completion with a message in it, whatever that message says.

    `headers` have lower-case names; `url` is shown to the person where the address is at fault.

    Raises:
        CallError: trying again may heal it; a 200 without a message in it is one too.
        NodeError: this request can't be served: `context_too_long`, `filtered`; `RequestRefused` where it may be
            adapted.
        EndpointUnusable: bad key, unknown model, spent quota, wrong address.
    """
    data = decode_json(body)
    if status >= 300 or status < 200:
        raise classify_fault(read_fault(status, headers, body, data), url)
    if not isinstance(data, Mapping):
        raise classify_fault(
            WireFault(200, "answered 200 without a JSON object: " + _strip_html(body), mark=_hash_body(body)),
            url,
        )
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if data.get("error") or not isinstance(choice, Mapping):
        raise classify_fault(_read_inner_fault(data, headers, body), url)
    if choice.get("error") or choice.get("finish_reason") in ("error", "insufficient_system_resource"):
        raise classify_fault(_read_inner_fault(choice, headers, body), url)
    if not isinstance(choice.get("message"), Mapping):
        raise classify_fault(_read_inner_fault(choice, headers, body), url)
    return data


def read_fault(status: int, headers: Mapping[str, str], body: bytes, data: Any) -> WireFault:
    """What a body says of a failure: nested, flat, a string, a list, `detail`, HTML, plain text or nothing at all."""
    first = data[0] if isinstance(data, list) and data else data
    flat = first if isinstance(first, Mapping) else {}
    error = flat.get("error")
    errors = flat.get("errors")  # Cloudflare's envelope
    listed = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else None
    inner: Mapping[str, Any] = error if isinstance(error, Mapping) else listed or flat
    message = next(
        (
            text
            for text in map(
                _join_words, (inner.get("message"), error, flat.get("detail"), flat.get("html-message"))
            )
            if text
        ),
        "",
    )
    said = message or _strip_html(body) or "nothing but the status"
    kind = str(inner.get("type") or flat.get("error_type") or inner.get("status") or "")
    details = inner.get("details") or inner.get("metadata")
    code = " ".join(str(part) for part in (inner.get("code"), details) if part not in (None, ""))
    param = str(inner.get("param") or "")
    resets = read_reset(headers, inner)
    wait = read_retry_after(headers, data, said[:READ])
    return WireFault(
        status,
        _squeeze(said),
        code[:SHOWN],
        kind,
        param,
        resets.seconds if wait is None else wait,
        resets,
        _squeeze(headers.get("location", ""))[:SHOWN],
        _hash_body(body),
    )


def classify_fault(fault: WireFault, url: str = "") -> AideError:
    """The error that a fault is, by its words first and its status after."""
    status, said = fault.status, fault.said
    # A 429 may quote the limit of tokens a minute in the words of a full window, and heals by waiting.
    if status == 413 or (status != 429 and _TOO_LONG.search(said)):
        return NodeError("context_too_long", fault.excerpt)
    if status < 500 and status != 429 and _FILTERED.search(said):
        return NodeError("filtered", fault.excerpt)
    # A grammar that the model left half-way: another sample may keep to it, so it is a failed call, not a refusal.
    if _ONE_CALL.search(said):
        return CallError(fault.excerpt, kind="server")
    # A router that has the model, but nobody who serves it with these parameters: fewer of them may do.
    if _NO_PROVIDER.search(said):
        return RequestRefused(fault)
    return _unusable(fault, url) or _passing(fault) or RequestRefused(fault)


def _unusable(fault: WireFault, url: str) -> EndpointUnusable | None:
    """The error where no request can be served here; `None` for other faults."""
    status, said = fault.status, fault.said
    if 300 <= status < 400:
        return EndpointUnusable(
            f"{url} redirects to {fault.location or 'nowhere'} ({status})",
            hint="give the final address as --base-url",
        )
    # A 402 that names a wait is a rate limit of some gateways; one without is an empty account.
    if (status == 402 and fault.wait is None) or _is_quota_spent(fault):
        hint = "top up the account or raise its limit, then rerun the same command; nothing is paid for twice"
        when = f"; it resets at {fault.resets.at}" if fault.resets.at else ""
        return EndpointUnusable(f"the quota is spent: {fault.excerpt}{when}", hint=hint, lasting=True)
    if status == 401 or (status in (400, 403) and _BAD_KEY.search(said)):
        hint = (
            "set the variable that --api-key-env names (OPENAI_API_KEY unless you name another) to a valid key, "
            "or give --api-key-command"
        )
        return EndpointUnusable(f"the API key is missing or refused: {fault.excerpt}", hint=hint)
    if status in (400, 404, 422) and (fault.param == "model" or _NO_MODEL.search(said)):
        return UnknownModel(f"the model is unknown there: {fault.excerpt}", hint="check --model")
    if status in (404, 405):
        hint = "check --base-url; it usually ends in /v1"
        return WrongPath(f"no chat completions at {url} ({status}: {fault.excerpt})", hint=hint)
    if status == 403:
        hint = "check that this key may use this model"
        return EndpointUnusable(f"access is denied: {fault.excerpt}", hint=hint)
    return None


def _is_quota_spent(fault: WireFault) -> bool:
    """True when what the account may use is used up for hours at least."""
    if fault.status not in (403, 412, 429):
        return False
    said = fault.said
    if _QUOTA.search(said):
        return True
    if fault.status == 429 and (fault.resets.seconds or 0.0) >= LONG_RESET:
        return True
    return bool(_ALLOWANCE.search(said) and _COUNTED.search(said) and not _SHORT_TERM.search(said))


def _passing(fault: WireFault) -> CallError | None:
    """The error where trying again may heal it; `None` for other faults."""
    status = fault.status
    if status < 200:  # left over from an upgrade of the connection by a proxy
        return CallError(f"answered {status} alone", kind="connection")
    if status == 200:
        return CallError(fault.excerpt, kind="server", retry_after=fault.wait)
    if status in (402, 429):
        return CallError(f"turned away ({status}): {fault.excerpt}", kind="rate", retry_after=fault.wait)
    if status in (498, 503, 529):
        return CallError(f"overloaded ({status}): {fault.excerpt}", kind="overload", retry_after=fault.wait)
    # Gateways give up before we do. The limiter treats that as an overload of the server behind them.
    if status in (408, 504, 524):
        return CallError(f"the server gave up waiting ({status})", kind="timeout", retry_after=fault.wait)
    if status in (409, 424, 425, 499) or status >= 500:
        return ServerFault(fault)
    return None


def _read_inner_fault(data: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> WireFault:
    """The fault that a 200 carries; its own code stands in for the status where it has one."""
    fault = read_fault(200, headers, body, data)
    code = re.search(r"\b[45]\d\d\b", fault.code)
    if data.get("finish_reason") == "insufficient_system_resource":
        status = 503
    elif code:
        status = int(code.group())
    elif _QUOTA.search(fault.said) or "rate_limit" in fault.said:
        status = 429
    else:
        status = 200
    message = (
        fault.message if data.get("error") or data.get("message") else "answered 200 without a message in it"
    )
    return replace(fault, status=status, message=message)


def _join_words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):  # FastAPI: one object for each field that is wrong
        return "; ".join(
            f"{'.'.join(map(str, v.get('loc', ())))}: {v.get('msg')}" for v in value if isinstance(v, Mapping)
        )
    return encode_json(value).decode() if isinstance(value, Mapping) and value else ""


def _strip_html(body: bytes) -> str:
    text = body[:4000].decode("utf-8", "replace")
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return _squeeze(title.group(1) if title else re.sub(r"<[^>]*>", " ", text))


def _squeeze(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:READ]).split())


def _hash_body(body: bytes) -> str:
    return blake2b(body, digest_size=8).hexdigest()
