"""What a newcomer gets wrong is mended by one sentence, before anything is spent."""

from pathlib import Path

import pytest

from cli.shell import SEEDS, aide

WORDS = SEEDS / "word_problems.jsonl"
CSV = "ticket_text,team\nmy card is gone,cards\nwhere is my money,transfers\nthe app crashes,app\nno login,login\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a table with columns of its own, and a file that is no text."""
    here = tmp_path_factory.mktemp("mistakes")
    (here / "tickets.csv").write_text(CSV)
    (here / "photo.jsonl").write_bytes(bytes(range(256)) * 20)
    done = aide("expand", WORDS, "--base-url", "sim:", "--target", "5", "-o", "run.aide", "--quiet", cwd=here)
    assert done.returncode == 0, done.stderr
    return here


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        (("expand", "x", "--api-key", "sk-1"), "a key is not taken from the command line", "OPENAI_API_KEY"),
        (("-v",), "there is no option -v", "`aide --version`"),
        (("expand", "x", "-v"), "there is no option -v", "aide.log"),
        (("expand", "x", "-n", "5"), "there is no option -n", "it is called --target here"),
        (("sample", "x", "--limit", "5"), "there is no option --limit", "it is called --size here"),
        (("export", "x", "--format", "trl"), "there is no option --format", "it is called --to here"),
        (
            ("export", "--to", "huggingface"),
            "there is no export 'huggingface'",
            "--to dataset",
        ),
        (("expand", "x", "-target", "5"), "there is no option -target", "it has two dashes: --target"),
        (
            ("--target", "5", "expand"),
            "there is no option --target before a command",
            "aide expand … --target",
        ),
        (("expand", "x", "--temperature", "1"), "there is no option --temperature", "[steps.synthesize]"),
        (("expand", "x", "--api-base", "y"), "there is no option --api-base", "it is called --base-url here"),
        (("generate", "x"), "there is no command generate", "it is called `aide expand`"),
        (("exprot", "x"), "no such command 'exprot'", "did you mean 'export'"),
        (("expand", "x", "--config", "quik"), "there is no config file quik; did you mean 'quick'?", "paper"),
        (("expand", "sample:word_problms"), "did you mean 'word_problems'?", "sample:science_quiz"),
        (("expand", "sample:"), "no sample seeds are named", "sample:science_quiz"),
        (("calibrate", "--base-url", "sim:"), "no records are named", "aide calibrate marked.jsonl"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_words_of_other_programs_are_answered_with_ours(words: tuple[str, ...], told: str, hint: str) -> None:
    done = aide(*words)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("aide: ") and told in first
    assert second.startswith("hint: ") and hint in second
    assert "sk-1" not in done.stderr


@pytest.mark.parametrize("words", [("help",), ("help", "expand"), ("help", "prompts")])
def test_help_is_a_command_too(words: tuple[str, ...]) -> None:
    assert aide(*words).stdout == aide(*words[1:], "--help").stdout


def test_unknown_columns_are_named_once_with_a_command_that_works(place: Path) -> None:
    words = ("expand", "tickets.csv", "--base-url", "sim:", "--target", "3", "-o", "tickets.aide")
    refused = aide(*words, cwd=place)
    assert refused.returncode == 2
    said, hint, ready = refused.stderr.splitlines()
    assert said == (
        "aide: tickets.csv: has no column that is known for an input; its columns are ticket_text, team"
    )
    assert "--input-field ticket_text --output-field team" in hint
    assert ready.startswith("try:  aide expand tickets.csv ")
    done = aide(*ready.removeprefix("try:  aide ").split(), cwd=place)
    assert done.returncode in (0, 6), done.stderr


def test_a_wrong_name_of_a_field_is_told_once_with_a_guess(place: Path) -> None:
    named = ("--input-field", "ticket_txt", "--output-field", "team")
    done = aide("expand", "tickets.csv", "--base-url", "sim:", *named, cwd=place)
    assert done.stderr.splitlines() == [
        "aide: tickets.csv: has no column 'ticket_txt'; did you mean 'ticket_text'?",
        "hint: its columns are ticket_text, team",
    ]


def test_labels_for_worked_answers_are_refused_in_a_line(place: Path) -> None:
    done = aide("expand", WORDS, "--base-url", "sim:", "--labels", "A,B", cwd=place)
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first.startswith("aide: no seed has one of the labels that --labels gives") and len(first) < 160
    assert second.startswith("hint: leave --labels out if the outputs are texts")


def test_a_file_that_is_no_text_is_called_so(place: Path) -> None:
    done = aide("expand", "photo.jsonl", "--base-url", "sim:", cwd=place)
    assert done.stderr.splitlines()[0] == "aide: photo.jsonl is a binary file, not text"


@pytest.mark.parametrize("words", [("filter", "--where"), ("filter", "--min"), ("prune", "--where")])
def test_a_mistyped_field_is_an_error_with_a_guess(words: tuple[str, str], place: Path) -> None:
    command, option = words
    given = "relevanc=5" if option == "--min" else "scores.relevanc > 5"
    done = aide(command, "run.aide", option, given, cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean " in done.stderr and "relevance'?" in done.stderr


@pytest.mark.parametrize("command", ["report", "status", "filter", "export", "stats", "split"])
def test_a_folder_that_is_not_there_is_told_with_its_neighbour(command: str, place: Path) -> None:
    more = ("--hop", "1") if command == "filter" else ()
    done = aide(command, "runs.aide", *more, cwd=place)
    assert done.returncode == 2
    first = done.stderr.splitlines()[0]
    assert first.startswith("aide: there is no ") and first.endswith("runs.aide; did you mean 'run.aide'?")


def test_a_folder_of_runs_names_those_in_it(place: Path) -> None:
    done = aide("status", place, cwd=place)
    assert done.returncode == 2
    assert "hint: name one of the runs in it:" in done.stderr
    assert "run.aide" in done.stderr


def test_a_run_says_that_a_simulator_answers(place: Path) -> None:
    done = aide("expand", WORDS, "--base-url", "sim:", "--target", "5", "-o", "said.aide", cwd=place)
    assert "the simulator answers: its texts mean nothing" in done.stderr


def test_folders_for_output_are_made(place: Path) -> None:
    made = {"export": "a/b/train.jsonl", "report": "c/d/run.html", "split": "e/f"}
    for command, path in made.items():
        done = aide(command, "run.aide", "-o", path, cwd=place)
        assert done.returncode == 0, done.stderr
        assert (place / path).exists()


def test_a_provider_without_a_key_is_told_which_variable_to_set(place: Path) -> None:
    words = ("expand", WORDS, "--base-url", "https://api.groq.com/openai/v1", "--model", "m", "-o", "g")
    done = aide(*words, cwd=place)
    assert done.returncode == 4
    first, second = done.stderr.splitlines()
    assert first == (
        "aide: there is no key for https://api.groq.com/openai/v1: the variable OPENAI_API_KEY is not set"
    )
    assert second == "hint: export OPENAI_API_KEY=…, or GROQ_API_KEY with --api-key-env GROQ_API_KEY"
    told = aide(*words, cwd=place, GROQ_API_KEY="gsk")
    assert told.stderr.splitlines()[1] == "hint: GROQ_API_KEY is set: add --api-key-env GROQ_API_KEY"
    assert not (place / "g").exists()


def test_sample_seeds_are_found_by_name_from_anywhere(place: Path) -> None:
    done = aide("expand", "sample:science_quiz", "--base-url", "sim:", "--target", "3", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (place / "science_quiz.aide" / "shards").is_dir()
    assert aide("stats", "sample:science_quiz", cwd=place).returncode == 0
    assert (
        aide("expand", "sample:science_quiz", "--base-url", "sim:", "--target", "3", cwd=place).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("aide export --to m", "messages"),
        ("aide expand --config pa", "paper"),
        ("aide expand sam", "sample:word_problems"),
        ("aide expand sample : word", "word_problems"),  # as bash parts it
        ("aide expand sample:none --format cl", "classification"),
        ("aide expand --format cl", "classification"),
        ("aide expand --target a", "all"),
    ],
)
def test_values_are_completed(line: str, offered: str) -> None:
    place = str(len(line.split()) - 1)
    done = aide(_AIDE_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=place)
    assert offered in done.stdout.splitlines()


def test_another_recipe_in_the_folder_of_a_run_is_refused_by_name(place: Path) -> None:
    asked = ("--base-url", "sim:", "--recipe", "evol", "--target", "8", "-o", "run.aide")
    done = aide("expand", WORDS, *asked, cwd=place)
    assert done.returncode == 2, done.stderr
    assert 'run.aide holds another run: recipe was "aide", is "evol"; ' in done.stderr
