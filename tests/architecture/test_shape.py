"""The architecture as failing tests: sizes, layers, a lean `--help`, and nothing that belongs elsewhere."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from aide.records import FORMATS

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
MAX_MODULE, MAX_FUNCTION = 400, 60


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_MODULE
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [each.name for each in functions if (each.end_lineno or 0) - each.lineno + 1 > MAX_FUNCTION] == []


def test_imports_run_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_help_imports_nothing_that_a_run_needs() -> None:
    code = (
        "import sys, aide.cli.main as m\n"
        "sys.argv = ['aide', '--help']\n"
        "try: m.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'httpx', 'aiohttp', 'pydantic', 'jinja2', 'rich', 'orjson', 'sqlite3', 'aide.config.spec'}\n"
        "print(*sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    assert "expand" in done.stdout


def test_a_run_loads_no_array_library() -> None:
    code = (
        "import sys, aide.cli.expand, aide.engines.local, aide.report, aide.run.distribution_report\n"
        "print(*sorted({'numpy', 'scipy', 'sklearn', 'pyarrow'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [name_of(path) for path in MODULES if path.stem in vague] == []


def test_only_formats_compare_the_name_of_a_format() -> None:
    """Whoever wants to know how a format behaves asks it, so that a new one is written in one place."""
    # The simulator plays a model: it reads the kind of answer from the prompt and must know nothing of formats.
    elsewhere = [path for path in MODULES if path.parent.name not in {"formats", "simulator"}]
    named = [
        f"{name_of(path)}:{node.lineno}"
        for path in elsewhere
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare | ast.MatchValue)
        for word in ast.walk(node)
        if isinstance(word, ast.Constant) and word.value in FORMATS
    ]
    assert named == []


def test_nothing_shipped_names_a_place_on_one_machine() -> None:
    banned = ("../shared", "/work/", "/home/", "/tmp/w")
    texts = [
        path for kind in ("src", "prompts", "configs", "sample_seeds") for path in (ROOT / kind).rglob("*")
    ]
    texts += [*ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    named = [
        (name_of(path), word)
        for path in texts
        if path.is_file()
        and path.suffix not in (".pyc", ".xz")  # recordings: tests/unit/demo reads what is packed
        for word in banned
        if word in path.read_text(encoding="utf-8")
    ]
    assert named == []


def test_every_benchmark_can_be_imported() -> None:
    """Nobody runs them daily, so that a name that moved would be missed for weeks."""
    code = (
        "import importlib, pathlib, sys\n"
        "sys.path[:0] = ['benchmarks', 'benchmarks/peers', 'tests', '.']\n"
        "sys.argv = ['x', '--url', 'http://x/v1', '--rows', '1', '--folder', '.']\n"
        "for path in [*pathlib.Path('benchmarks').glob('*.py'), pathlib.Path('with_aide.py')]:\n"
        "    importlib.import_module(path.stem)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
