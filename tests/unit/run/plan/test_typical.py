"""What a plan supposes that a model writes."""

from aide.formats import FORMATS, TaskCard
from aide.recipes.writing import choose_payload
from aide.records import Draft, Parts, Seed
from aide.run.plan.typical import TypicalWriter


def test_a_passage_is_quoted_from_where_no_tag_would_break_the_answer() -> None:
    before, behind = "Plain words come first. " * 20, "More words follow. " * 20
    part = f'{before} <item n="1"> and </item> stand in the middle. {behind}'
    parts = Parts((("document", part),), "question", "{document}\n{question}")
    seed = Seed("s", Draft("How many are there?", "There are 3.\n#### 3"), parts)
    card = TaskCard(format="open", convention="#### <number>", fixed=("document",), varying="question")
    payload = choose_payload(card, 2, "worked")
    said = TypicalWriter([seed], FORMATS["open"], card).write(
        payload, {"reply": "worked", "lines": ["", ""]}, parts
    )
    drafts = payload.read(said)
    assert sorted(drafts) == [0, 1]
    assert all(draft.evidence in part and len(draft.evidence.split()) == 20 for draft in drafts.values())
