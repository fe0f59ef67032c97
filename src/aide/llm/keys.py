"""API keys and other secrets of a request: where they come from, what is wrong with them, and how words lose them."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from aide.errors import EndpointUnusable
from aide.processes import end_process, read_output

LONGEST_KEY: Final = 1 << 16  # bytes that a key command may print: tokens of some kilobytes exist
KEY_TIME: Final = 30.0  # seconds for a key command: some ask a vault, or a person's browser session
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_QUOTES: Final = "\"'`“”‘’„«»"


def clean_key(key: str, source: str) -> str:
    """The key without the white space that printing and pasting add.

    Raises:
        EndpointUnusable: it has quotes around it, or a character that no key has; every server would refuse it.
    """
    key = "".join(key.split())
    if key and (key[0] in _QUOTES or key[-1] in _QUOTES):
        raise EndpointUnusable(f"the key in {source} has quotes around it", hint="set it without them")
    if odd := next((letter for letter in key if not "!" <= letter <= "~"), ""):
        raise EndpointUnusable(
            f"the key in {source} holds a character that no key has (U+{ord(odd):04X}), perhaps an invisible one",
            hint="copy the key again, or type it",
        )
    return key


def fill_variables(value: str, environ: Mapping[str, str], where: str) -> str:
    """The value of a header or of a query's field with each `${NAME}` replaced by that variable.

    Raises:
        EndpointUnusable: the variable is not set, or what it holds is no key.
    """

    def fill(found: re.Match[str]) -> str:
        if not environ.get(found[1]):
            raise EndpointUnusable(f"{where} names the variable {found[1]}, which is not set")
        return clean_key(environ[found[1]], found[1])

    return _VARIABLE.sub(fill, value)


def list_variables(value: str) -> list[str]:
    """The names of the variables that `fill_variables` puts into a value."""
    return _VARIABLE.findall(value)


def strike_out(text: str, secrets: Sequence[str]) -> str:
    """The text without these secrets, where they stand as a whole: a short one may be a part of other words."""
    for secret in secrets:
        text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", "***", text)
    return text


async def run_key_command(command: str) -> str:
    """What the command prints; raises `EndpointUnusable` where it fails, takes too long or prints nothing."""
    hint = "check --api-key-command"
    running = await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(KEY_TIME):
            printed = await read_output(running, LONGEST_KEY)
    except TimeoutError:
        raise EndpointUnusable(f"the key command took more than {KEY_TIME:g} s", hint=hint) from None
    finally:
        await end_process(running, group=False)  # it takes too long, prints too much, or the run was stopped
    if printed is None:
        raise EndpointUnusable(f"the key command printed more than {LONGEST_KEY >> 10} KB", hint=hint)
    if running.returncode or not printed.strip():
        raise EndpointUnusable(f"the key command failed (exit status {running.returncode})", hint=hint)
    return printed.decode("utf-8", "replace")
