from aide.text.echo import find_echo

PROMPT = """You write new examples. It could stand among the examples unnoticed, as plain as they are.
<parent>
Decide whether Speaker 2 means yes or no by this: 'Do you like sprouts?'
</parent>"""
PARENT = "Decide whether Speaker 2 means yes or no by this: 'Do you like sprouts?'"


def test_words_of_the_instructions_are_found() -> None:
    said = "The new input: it could stand AMONG the examples, unnoticed; as plain as can be."
    assert find_echo(said, PROMPT) == "it could stand among the examples"
    assert find_echo("It could stand among other things.", PROMPT) == ""


def test_what_the_prompt_shows_as_data_may_be_said_again() -> None:
    said = "Decide whether Speaker 2 means yes or no by this: 'Is it far?'"
    assert find_echo(said, PROMPT)
    assert find_echo(said, PROMPT, [PARENT]) == ""


def test_six_short_words_or_letters_are_no_echo() -> None:
    assert find_echo("it is one of us or of it", "say if it is one of us or of it") == ""
    assert find_echo("カードが届かない", "カードが届かないと言う") == ""
