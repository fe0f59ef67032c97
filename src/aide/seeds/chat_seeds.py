"""Seeds that are chats, as the format of a run takes them: as conversations, or each as one text."""

from collections.abc import Callable
from dataclasses import replace

from aide.records import Draft, Seed
from aide.seeds.chats import deepen_chat, flatten_chat
from aide.seeds.load import LoadedSeeds


def shape_chats(loaded: LoadedSeeds, *, as_chats: bool) -> LoadedSeeds:
    """The seeds as conversations all, or as texts all, with the ids that these have.

    A system prompt that all conversations share says what the task is, where they are texts.
    """
    seeds = [_reshape(seed, deepen_chat if as_chats else flatten_chat) for seed in loaded.seeds]
    system = next((seed.draft.system for seed in seeds if seed.draft.system), "")
    sentence = loaded.sentence or ("" if as_chats else system)
    return replace(loaded, seeds=seeds, sentence=sentence)


def _reshape(seed: Seed, shape: Callable[[Draft], Draft]) -> Seed:
    draft = shape(seed.draft)
    return seed if draft == seed.draft else replace(seed, id=Seed.identify(draft, seed.parts), draft=draft)
