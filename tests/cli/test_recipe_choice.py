"""What settings have no effect in a run is told before it begins."""

from typing import Any

import pytest

from aide.cli.recipe_choice import take_recipe
from aide.config.resolve import resolve_settings
from aide.errors import InputError

GRADES: dict[str, Any] = {
    "min_relevance": "8",
    "min_diversity": "3",
    "max_revisions": "2",
    "keep_ambiguous": True,
}


def take(config: str | None = None, **flags: Any) -> None:
    take_recipe(resolve_settings(flags, environ={}, config=config, endpoint_needed=False))


@pytest.mark.parametrize("name", GRADES)
def test_what_says_how_grades_are_used_is_refused_where_nobody_grades(name: str) -> None:
    take(**{name: GRADES[name]})
    with pytest.raises(InputError, match=f"{name} has no effect where reflection is off") as fault:
        take(reflection=False, **{name: GRADES[name]})
    assert fault.value.hint


def test_a_recipe_without_a_judge_takes_them_with_one() -> None:
    with pytest.raises(InputError, match="max_revisions has no effect where reflection is off"):
        take(recipe="self-guide", max_revisions="2")
    take(recipe="self-guide", max_revisions="2", reflection=True)


def test_a_file_of_settings_may_be_tried_without_the_judge(tmp_path: Any) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("min_relevance = 8\n", encoding="utf-8")
    take(str(file), reflection=False)
    take("paper", reflection=False)
    file.write_text("min_relevance = 8\nreflection = false\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: min_relevance has no effect"):
        take(str(file))
