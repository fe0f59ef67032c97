"""Further fixed parts, from the files of `--contexts`."""

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.jsonl import parse_json
from aide.text.cleaning import clean_text


def read_contexts(spec: RunSpec) -> tuple[str, ...]:
    """Further fixed parts from the files of `--contexts`: JSONL with one text field, or plain text, a file each.

    Raises:
        InputError: a file can't be read, or a line of it holds no text.
    """
    texts: list[str] = []
    for path in spec.contexts:
        try:
            whole = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as fault:
            raise InputError(f"{path} can't be read: {fault}", hint="--contexts takes UTF-8 files") from fault
        texts += _jsonl_texts(path.name, whole) if path.suffix == ".jsonl" else [clean_text(whole)]
    return tuple(text for text in texts if text)


def _jsonl_texts(name: str, whole: str) -> list[str]:
    texts = []
    for number, line in enumerate(whole.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as fault:
            raise InputError(f"{name}:{number} is not JSON", hint="one object or string a line") from fault
        found = (
            row
            if isinstance(row, str)
            else next((v for v in row.values() if isinstance(v, str)), "")
            if isinstance(row, dict)
            else ""
        )
        if not found:
            raise InputError(f"{name}:{number} holds no text", hint='such as {"text": "…"}')
        texts.append(clean_text(found))
    return texts
