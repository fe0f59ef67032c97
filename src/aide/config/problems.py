"""What is wrong with a setting, in one sentence for the person who gave it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aide.config.spec import EndpointSpec, Price, RunSpec, StepSpec, StepSpecs, get_flag
from aide.errors import InputError
from aide.text.suggestions import suggest_name

_KINDS: Final[dict[str, str]] = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a table",
    "model_type": "a table",
    "tuple_type": "a list",
    "path_type": "a path",
    "string_too_short": "given",
    "missing": "given",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "literal_error": "one of {expected}",
}


def explain_error(error: ValidationError, where: Callable[[Sequence[str]], str]) -> InputError:
    """The first fault of a spec as one sentence; `where` says how the value at a path was given."""
    faults = error.errors(include_url=False)
    first = faults[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if not name:
        return InputError(
            _strip_prefix(first["msg"]), hint="`aide config` shows every value and where it came from"
        )
    same_setting = [each for each in faults if each["loc"][:1] == first["loc"][:1]]
    path = [str(part) for part in first["loc"]] if _is_nested(name) else [name]
    dotted = f" ({'.'.join(path)})" if len(path) > 1 else ""
    hint = get_flag(name).help if name in RunSpec.model_fields else "`aide config` lists all settings"
    return InputError(
        f"{where(path)}{dotted} {_describe(first, same_setting if len(path) == 1 else [first])}", hint=hint
    )


def explain_value(error: ValidationError) -> str:
    """The fault of a single value, to follow its name: `must be a whole number, not 'two'`."""
    faults = error.errors(include_url=False)
    return _describe(faults[0], faults)


def _describe(first: ErrorDetails, faults: Sequence[ErrorDetails]) -> str:
    if first["type"] == "extra_forbidden":
        return f"is no setting{suggest_name(str(first['loc'][-1]), _list_known(first))}"
    kinds = [_KINDS[each["type"]].format(**each.get("ctx", {})) for each in faults if each["type"] in _KINDS]
    if not kinds:
        return _strip_prefix(first["msg"])
    return f"must be {' or '.join(dict.fromkeys(kinds))}, not {_shorten(first['input'])}"


def _list_known(fault: ErrorDetails) -> list[str]:
    """The names that could have been meant where an unknown one stands."""
    head, depth = str(fault["loc"][0]), len(fault["loc"])
    models: dict[tuple[str, int], type[BaseModel]] = {
        ("steps", 2): StepSpecs, ("steps", 3): StepSpec, ("endpoints", 3): EndpointSpec,
        ("prices", 3): Price, ("price", 2): Price,
    }  # fmt: skip
    return list(models.get((head, depth), RunSpec).model_fields)


def _is_nested(name: str) -> bool:
    return name in ("steps", "endpoints", "prices", "price", "headers", "query")


def _strip_prefix(message: str) -> str:
    return message.removeprefix("Value error, ")


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
