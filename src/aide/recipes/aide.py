"""The method: attribute-guided multi-hop data expansion (AIDE, ACL 2025, arXiv 2412.06136).

`plant` finds what a data point is about; `find_template` and `describe` say what the writer is asked for along it. The
rest of the way to a record is `written`. Each accepted record that has hops left below it may be planted in its turn
(step 7). Beside these guided records stand plain ones, the usual things that most real data are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aide.config.settings import METHOD, METHOD_SETTINGS
from aide.config.spec import RunSpec
from aide.errors import Unusable
from aide.frontier import PlantWork, TreeShape
from aide.prompts import list_variants
from aide.recipes.base import run_side_by_side
from aide.recipes.contract import Found, RecipeInputs
from aide.recipes.extraction import (
    make_extraction_payload,
    make_graph_payload,
    make_plant_payload,
    normalise_triples,
)
from aide.recipes.operations import check_operations, describe_hop, render_operation
from aide.recipes.personas import find_personas
from aide.recipes.written import WrittenRecipe
from aide.records import PERSONA, PLAIN, Ask, Hop, Point, Seed, Triple

TRIPLES = "triples"
PERSONAS = "personas"


class Aide(WrittenRecipe):
    """The recipe of the paper, with the rules that the method needs beyond it."""

    name = METHOD
    summary = (
        "Plain records in the way of the seeds, and guided ones along what each data point is about: "
        "attributes by operations, and personas."
    )
    source = "Li et al., AIDE, ACL 2025 (arXiv 2412.06136)"
    needs = "some ten seeds of any format"
    settings = METHOD_SETTINGS

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """C = operations x triples + personas children of a parent."""
        graph = spec.count_graph_triples(fixed=inputs.format.labelled or inputs.fixed_parts)
        matters = {TRIPLES: spec.attributes + graph, PERSONAS: spec.personas}
        return cls.make_shape(spec, matters, {**dict.fromkeys(spec.operations, TRIPLES), PERSONA: PERSONAS})

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """An operation without a prompt is told before anything is spent."""
        check_operations(spec, inputs)

    @classmethod
    def read_way(cls, kind: str, matter: Any) -> dict[str, Any]:
        """A persona, or the triple that an operation is applied to."""
        return {"persona": matter} if kind == PERSONA else {"triple": Triple(**matter)}

    @classmethod
    def describe_matter(cls, matter: Any) -> str:
        """A persona, or the attribute of a triple."""
        return str(matter["attribute"]) if isinstance(matter, Mapping) else str(matter)

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A triple or a persona of the usual length."""
        if matter == PERSONAS:
            return f"someone new to it, in a hurry {number}"
        return Triple("a common matter", "depends on", f"aspect {number}").as_dict()

    # --- steps 1 and 3a: what a data point is about --------------------------------------------------

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """Topic, triples (t, r, a) and personas of a data point: as many as its children will take, from one call.

        A model that can't fill such an answer is asked in three; personas of a bank, and the triples of graph
        expansion, come after the topic in any case.
        """
        context, spec = self.context, self.context.spec
        graph = max(0, work.wanted[0] - spec.attributes)
        triples, wanted_personas = work.wanted
        triples, people = triples - graph, 0 if context.bank else wanted_personas
        shared: dict[str, Any] = {"text": point.draft.input, "parts": point.parts, "demos": ()}
        try:
            label = context.format.show_label(context.card, work.label)
            found, personas = await ask(
                "extract", make_plant_payload(triples, people), template="plant",
                max_output=150 + 40 * (triples + people), attributes=triples, personas=people, label=label, **shared,
            )  # fmt: skip
        except Unusable:
            asked = max(1, triples)  # a topic alone is no extraction
            payload, max_output = make_extraction_payload(asked), 150 + 40 * asked
            found = await ask("extract", payload, max_output=max_output, attributes=asked, **shared)
            personas = None
        first = normalise_triples(found)[:triples]
        more, named = await run_side_by_side(
            self.expand_graph(found.topic, first, graph, ask, **shared),
            find_personas(found.topic, wanted_personas, context.bank, ask, given=personas, parts=point.parts),
        )
        found_triples = [triple.as_dict() for triple in (*first, *more)]
        return Found(found.topic, {TRIPLES: found_triples, PERSONAS: list(named)})

    async def expand_graph(
        self, topic: str, triples: Sequence[Triple], more: int, ask: Ask, **shared: Any
    ) -> tuple[Triple, ...]:
        """A few more triples of the same topic, whose attributes join the list; none where none can be had."""
        if not more or not triples:
            return ()
        try:
            payload, max_output = make_graph_payload(more), 100 + 40 * more
            shared |= {"topic": topic, "triples": triples, "more": more}
            found = await ask("expand_graph", payload, max_output=max_output, **shared)
        except Unusable:
            return ()
        return normalise_triples(found, topic=topic, known=triples)[:more]

    # --- steps 2 to 4: what the writer is asked for -----------------------------------------------------

    def find_template(self, hop: Hop) -> str:
        """The prompt of plain or of guided records, the variant for this format and for parts first."""
        kind = PLAIN if hop.operation == PLAIN else "_guided"
        names = self.context.format.prompt_names
        return self.context.prompts.find_template(*list_variants(kind, names, parts=self.context.fixed_parts))

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """One line of a prompt: what it is about, how it is changed, its traits, the shape that it takes over."""
        change = "" if hop.operation == PLAIN else render_operation(self.context, hop.operation)
        return describe_hop(self.context, hop, change, answered=answered)
