"""The work that every tool does, said once: rows, prompts, sampling, and how a script is told what to do.

Three stages a row, each asked with what came before: gen, judge, rewrite. Standard library only, for every tool runs
under a Python of its own.
"""

import argparse
from functools import cache
from pathlib import Path

STAGES = ("gen", "judge", "rewrite")
MODEL = "simulator"
SAMPLING = {"temperature": 0.7, "top_p": 0.95, "max_tokens": 512}
IN_FLIGHT = 64
PROMPTS = Path(__file__).parent / "prompts"


def rows(count: int) -> list[str]:
    """The names of the rows: `000000`, `000001`, …"""
    return [f"{number:06d}" for number in range(count)]


@cache
def prompt(stage: str) -> tuple[str, str]:
    """System and user half of a stage, as Jinja source."""
    system, _, user = (PROMPTS / f"{stage}.md").read_text(encoding="utf-8").partition("# user\n")
    return system.removeprefix("# system\n").strip(), user.strip()


def messages(stage: str, **values: str) -> list[dict[str, str]]:
    """The messages of one call, filled without Jinja."""
    system, user = prompt(stage)
    for name, value in values.items():
        user = user.replace(f"{{{{ {name} }}}}", value)
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def told() -> argparse.Namespace:
    """`url` with its /v1, `rows` and `folder`, from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args()
