"""What the simulator says of a task: the fields of its card, its topics, what its labels mean."""

from typing import Any

import orjson

from aide.simulator import answers
from aide.simulator.dice import Dice
from aide.simulator.languages import guess, lexicon_for
from aide.simulator.reading import Prompt
from aide.simulator.settings import SimulatorSettings


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def describe_task(prompt: Prompt, _: SimulatorSettings) -> str:
    """The fields in words."""
    texts = [example.input for example in prompt.examples]
    language, code = guess(texts)
    lexicon = lexicon_for(language, "\n".join(texts))
    words = max((answers.content_words(text, lexicon) for text in texts), key=len, default=[])
    longest = max((len(example.answer.split()) for example in prompt.examples), default=1)
    said = prompt.get("said").strip()
    about = " and ".join(Dice("card", *texts).sample(words, 2)) or "one matter"
    return _dump(
        {
            "task": said or f"Give the answer to one short input, about such things as {about}.",
            "source": "people who have a question and write it down in a hurry",
            "register": "Plain and brief, as in the examples.",
            "hard": "",
            "answer_form": "A few words." if longest < 6 else f"A text of up to about {longest} words.",
            "language": language,
            "language_code": code,
            "locale": "",
        }
    )


def name_topics(prompt: Prompt, _: SimulatorSettings) -> str:
    """As many topics as are asked for, made of words of the examples."""
    texts = [example.input for example in prompt.examples]
    lexicon = lexicon_for(prompt.language, "\n".join(texts))
    words = dict.fromkeys(word for text in texts for word in answers.content_words(text, lexicon))
    things = Dice("topics", *texts).sample([*words, *lexicon.things], prompt.asked)
    return _dump(
        {"topics": [{"topic": f"{word} and so on", "share": 1 + n % 5} for n, word in enumerate(things)]}
    )


def define_labels(prompt: Prompt, _: SimulatorSettings) -> str:
    """A definition for each label, which says its name again."""
    names = [name for name, _ in prompt.labels]
    labels = [
        {
            "name": name,
            "definition": f"texts about {name}",
            "near": [other for other in names if other != name][:1],
        }
        for name in names
    ]
    return _dump({"labels": labels})
