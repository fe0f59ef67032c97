"""Task cards as a good model writes them, and an endpoint that gives them: the simulator understands no task."""

import json
from collections.abc import Mapping
from typing import Any

from aide.simulator import Simulator, step_of
from endpoints.beside import Reply, Station

CARDS: Mapping[str, Mapping[str, str]] = {
    "word_problems": {
        "task": "Solve a short arithmetic problem from everyday life.",
        "language": "English", "language_code": "en", "locale": "",
        "answer_form": "Two or three lines, each with one calculation, then a line with the result.",
        "register": "Plain sentences, facts first, the question last.",
    },
    "support_tickets_de": {
        "task": "Say which team has to take care of a customer's message to an online shop.",
        "language": "German", "language_code": "de", "locale": "Germany",
        "answer_form": "The name of one team.",
        "register": "Customers write as they speak, often without capitals and with slips.",
    },
    "contract_questions": {
        "task": "Answer a question about a contract with yes or no.",
        "language": "English", "language_code": "en", "locale": "United Kingdom",
        "answer_form": "One word.",
        "register": "Short, exact questions of somebody who is bound by the contract.",
    },
}  # fmt: skip


def telling(name: str) -> Station:
    """A station that tells the card of that name; all other steps are the simulator's."""

    def tell(done: int, headers: Mapping[str, str], body: Any) -> Reply | None:
        if step_of(body) != "card":
            return None
        reply = Simulator().answer(body)
        reply["choices"][0]["message"]["content"] = json.dumps(CARDS[name])
        return 200, {}, reply

    return Station(twist=tell)
