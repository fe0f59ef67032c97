"""A language model of random weights as a GGUF file: a real model to a server, noise to a reader.

    python tests/endpoints/servers/tiny_model.py FILE

Every byte is a token of its own, and the weights come from a fixed seed, so that no package and no download is
needed and the file is the same each time. One channel of the residual stream, which no layer reads or writes,
holds a constant; the output layer makes of it a fixed bias for each token. So the text is made of letters and
spaces, and strings and answers end now and then, also where always the likeliest token is taken.
"""

import math
import random
import struct
import sys
from array import array
from pathlib import Path

WIDTH, INNER, LAYERS, HEADS, WINDOW = 64, 128, 2, 2, 16384
START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONSTANT = 40.0  # so much larger than the other channels that the norm makes about sqrt(WIDTH) of it
CLOSING = {
    '"': 0.06,
    END: 0.015,
    ".": 0.03,
    " ": 0.17,
}  # about how likely each is; the letters share the rest
NEVER = -60.0  # but where a grammar leaves nothing else
UINT, INT, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # types of values in a GGUF file


def vocabulary() -> list[str]:
    """The tokens in the order of their numbers: 256 bytes in the spelling of byte-level vocabularies, a merged
    pair, the two marks of a turn.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    spelled = [chr(byte) if byte in printable else chr(next(rest)) for byte in range(256)]
    return [*spelled, "th", START, END]


def weights(tokens: list[str]) -> dict[str, tuple[tuple[int, ...], "array[float]"]]:
    """Shape (columns first, as GGUF has it) and numbers of each tensor."""
    rng = random.Random(7)

    def noise(rows: int, columns: int, size: float) -> "array[float]":
        return array("f", (rng.gauss(0.0, size) for _ in range(rows * columns)))

    def from_stream(rows: int) -> "array[float]":
        matrix = noise(rows, WIDTH, 3 * WIDTH**-0.5)
        matrix[::WIDTH] = array("f", bytes(4 * rows))  # does not see the constant
        return matrix

    def into_stream(columns: int) -> "array[float]":
        matrix = noise(WIDTH, columns, 3 * columns**-0.5)
        matrix[:columns] = array("f", bytes(4 * columns))  # leaves the constant alone
        return matrix

    tensors: dict[str, tuple[tuple[int, ...], array[float]]] = {}
    embedding, output = noise(len(tokens), WIDTH, 3.0), noise(len(tokens), WIDTH, 0.15)
    letters = [token for token in tokens if token.isascii() and token.islower() and len(token) == 1]
    share = (1 - sum(CLOSING.values())) / len(letters)
    likely = {**dict.fromkeys(letters, share), **{{" ": "Ġ"}.get(k, k): p for k, p in CLOSING.items()}}
    for number, token in enumerate(tokens):
        embedding[number * WIDTH] = CONSTANT
        bias = math.log(likely[token]) if token in likely else NEVER
        output[number * WIDTH] = bias / math.sqrt(WIDTH)
    tensors["token_embd.weight"] = ((WIDTH, len(tokens)), embedding)
    tensors["output.weight"] = ((WIDTH, len(tokens)), output)
    ones = array("f", [1.0] * WIDTH)
    tensors["output_norm.weight"] = ((WIDTH,), ones)
    for layer in range(LAYERS):
        for name, rows in (
            ("attn_q", WIDTH),
            ("attn_k", WIDTH),
            ("attn_v", WIDTH),
            ("ffn_gate", INNER),
            ("ffn_up", INNER),
        ):
            tensors[f"blk.{layer}.{name}.weight"] = ((WIDTH, rows), from_stream(rows))
        tensors[f"blk.{layer}.attn_output.weight"] = ((WIDTH, WIDTH), into_stream(WIDTH))
        tensors[f"blk.{layer}.ffn_down.weight"] = ((INNER, WIDTH), into_stream(INNER))
        tensors[f"blk.{layer}.attn_norm.weight"] = ((WIDTH,), ones)
        tensors[f"blk.{layer}.ffn_norm.weight"] = ((WIDTH,), ones)
    return tensors


def metadata(tokens: list[str]) -> dict[str, tuple[int, object]]:
    """What a GGUF file says of its model, each with its type."""
    kinds = [3 if token in (START, END) else 1 for token in tokens]  # 3: a mark that no text contains
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, "tiny-random"),
        "llama.context_length": (UINT, WINDOW),
        "llama.embedding_length": (UINT, WIDTH),
        "llama.block_count": (UINT, LAYERS),
        "llama.feed_forward_length": (UINT, INNER),
        "llama.attention.head_count": (UINT, HEADS),
        "llama.attention.head_count_kv": (UINT, HEADS),
        "llama.attention.layer_norm_rms_epsilon": (FLOAT, 1e-5),
        "llama.rope.dimension_count": (UINT, WIDTH // HEADS),
        "llama.vocab_size": (UINT, len(tokens)),
        "tokenizer.ggml.model": (STRING, "gpt2"),
        "tokenizer.ggml.pre": (STRING, "gpt-2"),
        "tokenizer.ggml.tokens": (STRING, tokens),
        "tokenizer.ggml.token_type": (INT, kinds),
        "tokenizer.ggml.merges": (STRING, ["t h"]),
        "tokenizer.ggml.bos_token_id": (UINT, tokens.index(START)),
        "tokenizer.ggml.eos_token_id": (UINT, tokens.index(END)),
        "tokenizer.ggml.add_bos_token": (BOOL, False),
        "tokenizer.chat_template": (STRING, TEMPLATE),
    }


def packed(kind: int, value: object) -> bytes:
    """A value as it stands in the file."""
    if kind == STRING:
        text = str(value).encode()
        return struct.pack("<Q", len(text)) + text
    return struct.pack({UINT: "<I", INT: "<i", FLOAT: "<f", BOOL: "<?"}[kind], value)


def aligned(content: bytes) -> bytes:
    """Filled up to the next multiple of 32 bytes."""
    return content + bytes(-len(content) % 32)


def gguf() -> bytes:
    """The whole file."""
    tokens = vocabulary()
    told, tensors = metadata(tokens), weights(tokens)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(told))
    for name, (kind, value) in told.items():
        if isinstance(value, list):
            body = struct.pack("<IIQ", ARRAY, kind, len(value)) + b"".join(
                packed(kind, item) for item in value
            )
        else:
            body = struct.pack("<I", kind) + packed(kind, value)
        head += packed(STRING, name) + body
    data = b""
    for name, (shape, numbers) in tensors.items():
        head += packed(STRING, name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += aligned(numbers.tobytes())
    return aligned(head) + data


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(gguf())
