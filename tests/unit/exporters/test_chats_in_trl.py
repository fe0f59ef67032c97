"""Chats that were exported go through one training step in TRL: several turns, calls of functions, a system prompt."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine, read_lines
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.records import Draft, ToolCall, Turn, join_words, read_answer, write_tool

TOOL = write_tool(
    {
        "type": "function",
        "function": {
            "name": "tide",
            "description": "When the tide is high.",
            "parameters": {
                "type": "object",
                "properties": {"port": {"type": "string"}},
                "required": ["port"],
            },
        },
    }
)
ASKED = Turn("user", "When can I sail from Rye?")
CALLED = Turn("assistant", "", (ToolCall("tide", '{"port": "Rye"}'),))
RESULT = Turn("tool", '{"high": "16:10"}')
FOUR = Turn("assistant", "At four.")
CHATS = {
    "several turns": ((ASKED, Turn("assistant", "Today?"), Turn("user", "Yes."), FOUR), "", ()),
    "a system prompt": ((ASKED, FOUR), "You are the harbour master.", ()),
    "a call": ((ASKED, CALLED), "", (TOOL,)),
    "words after a result": ((ASKED, CALLED, RESULT, FOUR), "", (TOOL,)),
}
TEMPLATE = """{% if tools %}{{ tools | tojson }}
{% endif %}{% for message in messages %}[{{ message.role }}] {{ message.content }}\
{% for call in message.tool_calls or [] %}{{ call.function.name }}{{ call.function.arguments }}{% endfor %}
{% endfor %}"""


def export(
    name: str, chat: tuple[tuple[Turn, ...], str, tuple[str, ...]], path: Path
) -> list[dict[str, Any]]:
    turns, system, tools = chat
    draft = Draft(join_words(turns), read_answer(turns[-1]), turns=turns, tools=tools, system=system)
    record = {"id": "r", "format": "chat", **draft.as_dict()}
    lines = [RecordLine(record, json.dumps(record).encode(), "in.jsonl", n) for n in (1, 2)]
    EXPORTERS[name].write(lines, ExportJob(str(path), ExampleRenderer()))
    return [line.record for line in read_lines([str(path)])]


@pytest.mark.filterwarnings("ignore")  # those that TRL and its libraries give each other
@pytest.mark.parametrize("name", ["messages", "prompt-completion"])
@pytest.mark.parametrize("kind", CHATS)
def test_one_step_of_training_takes_the_chat_as_it_is(tmp_path: Path, kind: str, name: str) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not here: make test-trainers")
    from datasets import Dataset

    export(name, CHATS[kind], tmp_path / "x.jsonl")
    rows = Dataset.from_json(str(tmp_path / "x.jsonl"), cache_dir=str(tmp_path))
    model, tokenizer = make_tiny(str(tmp_path / "x.jsonl"))
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=1,
        use_cpu=True,
        report_to="none",
        per_device_train_batch_size=1,
    )
    trainer = trl.SFTTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer)
    seen = tokenizer.decode(trainer.train_dataset[0]["input_ids"])
    turns, system, tools = CHATS[kind]
    for turn in turns:
        assert turn.content in seen
        assert all(call.arguments in seen for call in turn.calls)
    assert system in seen
    assert ("When the tide is high." in seen) == bool(tools)
    assert trainer.train().global_step == 1


def make_tiny(text: str) -> tuple[Any, Any]:
    """A model of a few thousand weights, and a tokenizer that knows every byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    hub = importlib.import_module("transformers")  # it is not there where types are checked
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(
        [Path(text).read_text(encoding="utf-8")],
        trainers.BpeTrainer(vocab_size=400, special_tokens=["<pad>", "</s>"], initial_alphabet=alphabet),
    )
    tokenizer = hub.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", pad_token="<pad>")
    tokenizer.chat_template = TEMPLATE
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return hub.LlamaForCausalLM(hub.LlamaConfig(vocab_size=len(tokenizer), **size)), tokenizer
