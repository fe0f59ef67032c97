"""Calls of functions: read from what a model said, and held against the functions' JSON Schemas."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aide.errors import Unusable
from aide.parsing import parse_json
from aide.records import ToolCall

_MOST_CALLS: Final = 32
_LONGEST: Final = 300  # characters of a fault: a schema's message may hold the whole value


class CallsPayload:
    """One or several calls as JSON."""

    name = "calls"
    schema: Mapping[str, Any] | None = None

    def read(self, text: str) -> tuple[ToolCall, ...]:
        """The calls; raises `Unusable`."""
        calls = read_calls(text)
        if not calls:
            raise Unusable("broken_format", f"{_WANTED} Write nothing else.", said=text)
        return calls


_WANTED: Final = 'Write a JSON list of calls, each as {"name": "…", "arguments": {…}}.'


def read_calls(text: str) -> tuple[ToolCall, ...]:
    """The calls in a text, in any of the shapes in which models write them; none where it holds none."""
    try:
        value = parse_json(text)
    except Unusable:
        return ()
    if isinstance(value, Mapping) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    rows = value if isinstance(value, list) else [value]
    calls = [_read_call(row) for row in rows[: _MOST_CALLS + 1]]
    found = tuple(call for call in calls if call)
    return found if 0 < len(found) == len(calls) <= _MOST_CALLS else ()


def _read_call(row: Any) -> ToolCall | None:
    inner = row.get("function", row) if isinstance(row, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        return None
    arguments = inner.get("arguments", inner.get("parameters", {}))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            return None
    if not isinstance(arguments, Mapping):
        return None
    return ToolCall(inner["name"], json.dumps(arguments, ensure_ascii=False))


def find_call_fault(calls: Sequence[ToolCall], tools: Sequence[str]) -> str:
    """What is wrong with the first call that fits none of the functions, as the model is told; empty where all do.

    Without functions there is nothing to hold them against.
    """
    functions = {function.get("name"): function for function in map(read_function, tools)}
    for call in calls if functions else ():
        function = functions.get(call.name)
        if function is None:
            return f"There is no function {call.name}; the functions are {', '.join(map(str, functions))}."
        schema = function.get("parameters") or function.get("input_schema") or {}
        if fault := _find_fault(json.loads(call.arguments), schema):
            return f"The arguments of {call.name} do not fit its schema: {fault[:_LONGEST]}."
    return ""


def read_function(tool: str) -> Mapping[str, Any]:
    """The function in a tool's definition: its name, what it does, the schema of its parameters."""
    whole = json.loads(tool)
    inner = whole.get("function")
    return inner if isinstance(inner, Mapping) else whole


def _find_fault(arguments: Mapping[str, Any], schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return ""
    if unknown := [name for name in arguments if not _takes(schema, name)]:
        return f"there is no parameter {unknown[0]!r}"
    if missing := [name for name in _list_required(schema) if name not in arguments]:
        return f"{missing[0]!r} is a required parameter"
    return _validate(arguments, schema)


def _takes(schema: Mapping[str, Any], name: str) -> bool:
    """True unless the schema names all parameters and this is none: a function takes no others, a schema would."""
    known = schema.get("properties")
    open_ended = "additionalProperties" in schema or "patternProperties" in schema
    return open_ended or not isinstance(known, Mapping) or name in known


def _list_required(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required")
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _validate(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The first fault by the schema; empty where there is none, or where the schema itself is no valid one."""
    import jsonschema  # only chats with functions need it
    from referencing import Registry

    validator = jsonschema.Draft202012Validator(
        schema, registry=Registry()
    )  # an empty registry fetches nothing
    try:
        validator.check_schema(schema)
        fault = next(iter(validator.iter_errors(arguments)), None)
    except Exception:  # noqa: BLE001 - schemas are people's: "dict" for an object is common, and no fault of the call
        return ""
    return f"{fault.json_path}: {fault.message}" if fault else ""
