"""Marks of chat templates and of thinking: each is taken apart in front, taken off behind, and found anywhere else."""

import pytest

from aide.text.markers import THINKING, drop_end_marks, find_control_mark, split_thinking

SAID = "Rivers carry salt to the sea."


@pytest.mark.parametrize("mark", THINKING, ids=lambda mark: mark.opened)
def test_thoughts_in_front_are_parted_from_the_answer(mark: object) -> None:
    opened, closed = mark.opened, mark.closed  # type: ignore[attr-defined]
    for text in (f"{opened}\nHm, salt.\n{closed}\n{SAID}", f"Hm, salt.{closed}{SAID}"):
        thought, said = split_thinking(text)
        assert (thought, said.strip()) == ("Hm, salt.", SAID)
    assert split_thinking(f"  {opened}Hm, salt.") == ("Hm, salt.", "")
    assert find_control_mark(f"{SAID} {opened} {SAID}")


@pytest.mark.parametrize(
    "text",
    [
        f"<|channel|>analysis<|message|>Salt?<|end|><|start|>assistant<|channel|>final<|message|>{SAID}",
        f"<|channel|>analysis<|message|>Salt?<|end|><|channel|>final<|message|>{SAID}<|return|>",
        f"<|start|>assistant<|channel|>analysis<|message|>Salt?<|end|>\n<|start|>assistant<|channel|>final "
        f"<|constrain|>json<|message|>{SAID}",
        f"analysisSalt?assistantfinal{SAID}",
    ],
)
def test_of_channels_the_final_one_is_the_answer(text: str) -> None:
    assert split_thinking(text) == ("Salt?", SAID)


def test_channels_without_a_final_one_hold_no_answer() -> None:
    assert split_thinking("<|channel|>analysis<|message|>Salt, salt and")[1] == ""


@pytest.mark.parametrize(
    "text",
    [
        f"<|begin_of_box|>{SAID}<|end_of_box|>",
        f"<think>Hm.</think><response>{SAID}</response>",
        f"<|begin_of_thought|>Hm.<|end_of_thought|>\n<|begin_of_solution|>{SAID}<|end_of_solution|>",
    ],
)
def test_what_stands_around_an_answer_is_taken_off(text: str) -> None:
    assert split_thinking(text)[1] == SAID


@pytest.mark.parametrize(
    "mark",
    ["<|im_end|>", "</s>", "<end_of_turn>", "<|eot_id|>", "<|endoftext|>", "<｜end▁of▁sentence｜>", "<turn|>",
     "<|return|>", "[|endofturn|]", "</s>\n<|im_end|>"],
)  # fmt: skip
def test_a_mark_of_the_end_says_nothing_at_the_end(mark: str) -> None:
    assert drop_end_marks(f"{SAID}{mark}") == SAID
    assert find_control_mark(f"{SAID}{mark}\nuser") != ""


@pytest.mark.parametrize(
    "mark",
    ["<|user|>", "<|start_header_id|>", "<|tool_calls_section_begin|>", "[INST]", "[/INST]", "<<SYS>>", "[TOOL_CALLS]",
     "<start_of_turn>", "<bos>", "<unused49>", "<0x0A>", "<fim_middle>", "<tool_call>", "<|turn>", "<channel|>",
     "<extra_id_0>", "◁/think▷", "</think>", "<thinking>", "[gMASK]"],
)  # fmt: skip
def test_a_mark_anywhere_else_is_found(mark: str) -> None:
    assert find_control_mark(f"{SAID} {mark} {SAID}") == mark


@pytest.mark.parametrize(
    "text",
    [
        SAID, "a <| b |> c", "List<int> x = y < 3 ? [1] : [INSTALL];", "<s>old</s> new",
        "<b>So</b>, see [1] and [EOSX].",
        "x <- c(1, 2) |> sum()", "a || b", "<a@b.example>", "if a<b|c>d", "Think of [it] as <it>.",
    ],
)  # fmt: skip
def test_honest_brackets_are_no_marks(text: str) -> None:
    assert find_control_mark(text) == ""
    assert drop_end_marks(text) == text
    assert split_thinking(text) == ("", text)


def test_a_mark_that_is_talked_about_parts_nothing() -> None:
    text = "the tag <think> starts and </think> ends it"
    assert split_thinking(text) == ("", text)


def test_a_lone_mark_of_the_end_is_a_mark_and_a_pair_is_html() -> None:
    assert find_control_mark(f"{SAID}</s>User: {SAID}")
    assert find_control_mark(f"<s>{SAID}")
    assert find_control_mark("It was <s>ten</s> nine.") == ""
