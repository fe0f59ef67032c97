"""What everybody does: show a few examples and ask for many more. The baseline that other recipes have to beat."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aide.recipes.written import WrittenRecipe
from aide.records import Hop

TOGETHER = 20
"""Records of one call. Within a call a model hardly repeats itself, so that many are best asked for at once."""


class Naive(WrittenRecipe):
    """Plain records alone, asked for in one sentence; checks, answers and judge are those of every recipe."""

    name = "naive"
    summary = "Write twenty more like these, of one label where there are labels; checked as any records are."
    source = "what everybody does"
    needs = "some ten seeds of any format"
    # A refused text is cheaper replaced by a new one, a twentieth of a call, than written again by a whole one.
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 1.0,
        "hops": 1,
        "steer": False,
        "max_revisions": 0,
    }
    draws_traits = False
    deals_topics = False
    plain_together = TOGETHER

    def find_template(self, hop: Hop) -> str:
        """The one prompt, or its variant for this format."""
        names = [f"recipes/naive/write.{name}" for name in self.context.format.prompt_names]
        return self.context.prompts.find_template(*names, "recipes/naive/write")

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """The shape that a record takes over, such as the turns of a conversation; nothing else is asked for."""
        return self.context.format.describe_shape(hop.parent.draft, answered=answered) or "Like the examples."

    def number_draw(self, hops: Sequence[Hop]) -> int:
        """Each call is a sample of its own: with few seeds nothing else sets their prompts apart."""
        return hops[0].draw
