"""The task card of a run that goes on: kept, whatever its file looks like, and not to be edited after a record."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aide.card import card_to_toml
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.formats import FORMATS, Label, TaskCard
from aide.journal import Journal, Outcome
from aide.run.folder import RunFolder
from aide.run.task_card import fix_card, list_hop_labels

CARD = TaskCard(task="Answer the question.", min_words=3)
INPUTS: Any = SimpleNamespace(format=FORMATS["free_text"], seeds=())


async def go_on(folder: RunFolder) -> TaskCard:
    with Journal.open(folder.journal) as journal:
        session: Any = SimpleNamespace(
            folder=folder, journal=journal, spec=RunSpec()
        )  # no model is asked when the card is there
        return await fix_card(session, INPUTS)


async def begin(folder: RunFolder, text: str) -> None:
    with Journal.open(folder.journal) as journal:
        journal.set_meta("card", text)
        await journal.settle(Outcome("1" * 20, "accepted", "s", "s", 1, 0, "reasoning", "", b"{}"))
    folder.card.write_text(text, encoding="utf-8")


def test_a_card_in_the_layout_of_another_version_is_no_edit(tmp_path: Path) -> None:
    async def run() -> None:
        folder = RunFolder(tmp_path)
        await begin(folder, re.sub(r"#.*", "# an older remark", card_to_toml(CARD)))
        for _ in range(3):
            assert await go_on(folder) == CARD

    asyncio.run(run())


def test_a_card_edited_after_the_first_record_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        folder = RunFolder(tmp_path)
        await begin(folder, card_to_toml(CARD))
        folder.card.write_text(card_to_toml(TaskCard(task="Guess.")), encoding="utf-8")
        with pytest.raises(InputError, match="after the first record"):
            await go_on(folder)

    asyncio.run(run())


@pytest.mark.parametrize(("recipe", "names"), [("aide", ("food", "travel")), ("evol", ())])
def test_no_label_is_dealt_where_the_recipe_asks_for_it(recipe: str, names: tuple[str, ...]) -> None:
    card = TaskCard(labels=(Label("food"), Label("travel")))
    assert list_hop_labels(RunSpec(recipe=recipe), card, INPUTS).names == names
