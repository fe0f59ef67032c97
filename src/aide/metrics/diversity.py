"""How diverse texts are, by measures that others publish and can repeat.

Tokens are words and single punctuation marks, as they are cased; of scripts without spaces, characters. Every measure
but the length depends on how many texts there are: compare only samples of one size.
"""

import gzip
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from aide.dedup.lexical import LexicalIndex
from aide.text.words import split_tokens

ORDER: Final = 4  # n-grams of up to four tokens: BLEU-4

Gram = tuple[str, ...]
ScoreBleu = Callable[[Sequence[int], Sequence[int], int, int], float]
"""A text's score from its matched n-grams and all of them, by order, its length and that of the reference."""


def measure_distinct(texts: Iterable[Sequence[str]], n: int) -> float:
    """Different n-grams as a share of all n-grams, over all texts together.

    Li et al., *A Diversity-Promoting Objective Function for Neural Conversation Models*, NAACL 2016.
    """
    counts = Counter(gram for text in texts for gram in list_ngrams(text, n))
    return len(counts) / (counts.total() or 1)


def measure_self_bleu(texts: Sequence[Sequence[str]], score: "ScoreBleu | None" = None) -> float:
    """Mean BLEU-4 of each text against all others, 0 to 1; lower is more diverse.

    Zhu et al., *Texygen*, SIGIR 2018. Sentence BLEU as sacrebleu has it (Post, WMT 2018), with exponential
    smoothing and effective order; or as `score` has it.

    One pass over all texts in place of one for each: of each n-gram the greatest count and whose it is are kept, and
    the greatest count of all others, which takes a text's own n-grams out of its references.
    """
    if len(texts) < 2:
        return 0.0
    counted = [[Counter(list_ngrams(text, n)) for n in range(1, ORDER + 1)] for text in texts]
    tops = [_find_tops([orders[n] for orders in counted]) for n in range(ORDER)]
    lengths = Counter(map(len, texts))
    score = score or _score_bleu
    total = 0.0
    for place, (text, orders) in enumerate(zip(texts, counted, strict=True)):
        matched = []
        for top, own in zip(tops, orders, strict=True):
            best = {gram: _count_elsewhere(top[gram], place) for gram in own}
            matched.append(sum(min(count, best[gram]) for gram, count in own.items()))
        lengths[len(text)] -= 1  # a text is no reference of its own
        reference = _find_closest(lengths, len(text))
        total += score(matched, [order.total() for order in orders], len(text), reference)
        lengths[len(text)] += 1
    return total / len(texts)


def measure_compression(texts: Iterable[str]) -> float:
    """Bytes of all texts, joined by spaces, over their bytes packed by gzip; higher is more redundant.

    Shaib et al., *Standardizing the Measurement of Text Diversity*, 2024.
    """
    data = " ".join(texts).encode("utf-8", "surrogatepass")
    return len(data) / len(gzip.compress(data, mtime=0)) if data else 0.0


def measure_near_duplicates(texts: Sequence[str]) -> float:
    """The share of texts that `aide dedup` would drop."""
    known = LexicalIndex("near", [])
    found = sum(known.admit(str(place), text) is not None for place, text in enumerate(texts))
    return found / (len(texts) or 1)


def measure_lengths(texts: Iterable[Sequence[str]]) -> dict[str, float]:
    """Mean, and 5th, 50th and 95th percentile, in tokens (nearest rank)."""
    counts = sorted(map(len, texts))  # nearest rank, not interpolated: each figure is the length of a text
    if not counts:
        return {}
    marks = {f"p{share}": counts[max(0, math.ceil(share * len(counts) / 100) - 1)] for share in (5, 50, 95)}
    return {"mean": round(sum(counts) / len(counts), 2), **marks}


def measure_evenness(counts: Iterable[int]) -> float:
    """Entropy of the shares over its maximum, 0 to 1: 1 where all are equal (Pielou, 1966)."""
    held = [count for count in counts if count]
    if len(held) < 2:
        return 0.0
    total = sum(held)
    return -sum(count / total * math.log(count / total) for count in held) / math.log(len(held))


def measure_texts(texts: Sequence[str], bleu: Sequence[int] = ()) -> dict[str, Any]:
    """All measures of one set of texts; Self-BLEU of those at the places `bleu` alone."""
    split = [split_tokens(text) for text in texts]
    found: dict[str, Any] = {f"distinct_{n}": round(measure_distinct(split, n), 4) for n in (1, 2, 3)}
    if bleu:
        found["self_bleu"] = round(measure_self_bleu([split[place] for place in bleu]), 4)
    return {
        **found,
        "compression_ratio": round(measure_compression(texts), 3),
        "near_duplicates": round(measure_near_duplicates(texts), 4),
        "length": measure_lengths(split),
    }


# --- BLEU -------------------------------------------------------------------------------------------


def list_ngrams(text: Sequence[str], n: int) -> list[Gram]:
    """All runs of `n` tokens."""
    return [tuple(text[at : at + n]) for at in range(len(text) - n + 1)]


def _find_tops(counts: Sequence[Counter[Gram]]) -> dict[Gram, tuple[int, int, int]]:
    """For each n-gram its greatest count in one text, that text, and the greatest count in another one."""
    tops: dict[Gram, tuple[int, int, int]] = {}
    for place, own in enumerate(counts):
        for gram, count in own.items():
            first, whose, second = tops.get(gram, (0, -1, 0))
            tops[gram] = (count, place, first) if count > first else (first, whose, max(second, count))
    return tops


def _count_elsewhere(top: tuple[int, int, int], place: int) -> int:
    first, whose, second = top
    return second if whose == place else first


def _find_closest(lengths: Counter[int], length: int) -> int:
    """The reference length nearest to a text's own, the shorter of two equally near."""
    return min(
        (other for other, count in lengths.items() if count), key=lambda other: (abs(other - length), other)
    )


def _score_bleu(matched: Sequence[int], total: Sequence[int], length: int, reference: int) -> float:
    if not any(matched):
        return 0.0
    logs, missing = [], 1
    for right, of in zip(matched, total, strict=True):
        if not of:  # a text of fewer tokens has no n-grams of this order, and is not blamed for that
            break
        if not right:  # each further order without a match counts half as much: sacrebleu's smoothing
            missing *= 2
        logs.append(math.log(right / of if right else 1 / (missing * of)))
    brevity = min(1.0, math.exp(1 - reference / length))
    return brevity * math.exp(sum(logs) / len(logs))


def score_plain_bleu(matched: Sequence[int], total: Sequence[int], length: int, reference: int) -> float:
    """BLEU-4 without brevity penalty: the geometric mean of the precisions, where no match counts as a tenth of one.

    Each text keeps all four orders, so that short ones do not pass for copies because they hold no n-gram of four.
    """
    logs = [
        math.log((right or 0.1) / of) if of else math.log(0.1)
        for right, of in zip(matched, total, strict=True)
    ]
    return math.exp(sum(logs) / len(logs))
