"""Static models of sentences (a folder): the vector of a text is the mean of its words' vectors.

`sentence-transformers` opens the folder as a `StaticEmbedding`, and so does model2vec. All languages
of a space are in one vocabulary, and one tokeniser cuts and spells text of any of them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.multilingual import MultilingualEmbedding
from jointalign.numerics.normalize import unit
from jointalign.storage.files import atomic
from jointalign.storage.tensors import write_tensors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

UNKNOWN = "[UNK]"
"""What stands for a word without a vector; its row is zero."""

FILES = ("tokenizer.json", "model.safetensors", "config.json", "modules.json")
"""What a folder holds; the last one is written last."""

_SMOOTHING = 1e-3  # a of Arora et al. 2017
_FEW = 1e-3  # share of words that have capitals, for they have no small letter, in lower-cased text
_ROUNDING = 1e-5
_MODULES = [
    {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
]


class Weighting(StrEnum):
    """How much a word says in the mean of a text, by its share p of all words of its language."""

    SIF = "sif"
    """a / (a + p), a = 0.001: smooth inverse frequency (Arora et al. 2017)."""

    IDF = "idf"
    """-log p: what the inverse document frequency is where a word is a document."""

    NONE = "none"
    """All words alike."""

    def of(self, shares: np.ndarray) -> np.ndarray:
        """Weights of words from their shares, `(n,)` each."""
        if self is Weighting.IDF:
            return -np.log(shares)
        return _SMOOTHING / (_SMOOTHING + shares) if self is Weighting.SIF else np.ones(len(shares))


@dataclass(frozen=True)
class StaticFacts:
    """What became of a space's words.

    Args:
        words: In the vocabulary.
        merged: Of these, spellings that have another vector in each language, and now their mean,
            weighted by how frequent the word is in each.
        unreachable: Words left out because no text is cut so: with blanks, or in capitals where others
            are not.
        dimensions: Of the vectors.
    """

    words: int
    merged: int
    unreachable: int
    dimensions: int


@checked
def write_static(
    space: Embedding | BilingualEmbedding | MultilingualEmbedding,
    folder: str | Path,
    weighting: Weighting = Weighting.SIF,
    max_vocabulary: int | None = None,
) -> StaticFacts:
    """Write a static model of all languages of a space.

    A row is the word's vector, made length one, times its weight. Words are counted by the counts of
    the space; without counts they are taken to be as frequent as Zipf's law has it of their rank.

    Args:
        space: Aligned, so that a text is near its translation.
        folder: Made if it is not there; files of these names are replaced.
        weighting: Of words in the mean of a text; the default finds most translations of sentences
            (`studies/sentences.py`).
        max_vocabulary: Only the most frequent words of each language; default: all.

    Raises:
        MissingExtraError: If the package `tokenizers` is not installed.
        JointalignError: If a number is not finite, no word is left, or a file cannot be written.

    Example:
        >>> import tempfile
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog"), np.array([5, 3])), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish, "en", "es")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_static(space, folder)
        StaticFacts(words=4, merged=0, unreachable=0, dimensions=2)
    """
    languages, sides = zip(*_sides(space), strict=True)
    sides = [side.first(max_vocabulary) for side in sides]
    for side in sides:
        side.check_finite()
    words, rows, merged = _rows(sides, weighting)
    capitals = sum(word != word.lower() for word in words)
    tokenizer = _tokenizer(languages, lowercase=capitals <= _FEW * len(words))
    reached = _reached(tokenizer, words)
    words, rows = [word for word, one in zip(words, reached, strict=True) if one], rows[reached]
    if not words:
        raise JointalignError(f"{folder}: expected words that a tokeniser can find, got none")
    _set_words(tokenizer, words)
    facts = StaticFacts(len(words), int(merged[reached].sum()), int((~reached).sum()), rows.shape[1])
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True}
    folder = Path(folder)
    with atomic(folder / FILES[0], "w") as file:
        file.write(tokenizer.to_str())
    table = np.vstack([np.zeros((1, rows.shape[1]), np.float32), rows])
    write_tensors(folder / FILES[1], {"embeddings": table}, {"format": "pt"})
    for name, content in ((FILES[2], config | {"hidden_dim": rows.shape[1]}), (FILES[3], _MODULES)):
        with atomic(folder / name, "w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
    return facts


def _sides(space: Embedding | BilingualEmbedding | MultilingualEmbedding) -> list[tuple[str, Embedding]]:
    """Each language's code and words."""
    if isinstance(space, Embedding):
        return [("und", space)]
    if isinstance(space, BilingualEmbedding):
        return [(space.source_language, space.source), (space.target_language, space.target)]
    return [(code, space.language(code)) for code in space.languages]


def _rows(sides: Sequence[Embedding], weighting: Weighting) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Words of all sides, the most frequent first; their rows; which have vectors that differ."""
    numbers: dict[str, int] = {}
    own = [np.array([numbers.setdefault(word, len(numbers)) for word in side.words], int) for side in sides]
    rows = np.zeros((len(numbers), sides[0].dimensions), np.float32)
    total, languages = np.zeros(len(numbers)), np.zeros(len(numbers), int)
    for side, at in zip(sides, own, strict=True):
        own_shares = shares(side)
        rows[at] += unit(np.asarray(side.vectors, np.float32)) * own_shares[:, None].astype(np.float32)
        total[at] += own_shares
        languages[at] += 1
    # A mean of vectors that disagree is short: a spelling that means two things says less.
    rows /= total[:, None].astype(np.float32)
    differ = (languages > 1) & (np.linalg.norm(rows, axis=1) < 1 - _ROUNDING)
    rows *= weighting.of(total / languages)[:, None].astype(np.float32)
    order = np.argsort(-total, kind="stable")
    words = list(numbers)
    return [words[row] for row in order.tolist()], rows[order], differ[order]


def shares(side: Embedding) -> np.ndarray:
    """Share of each word of all words of its language, `(n,)`; by Zipf's law without counts."""
    counts = side.vocabulary.counts.astype(float)
    weights = np.maximum(counts, 0.5) if counts.any() else 1 / np.arange(1, len(counts) + 1)
    return weights / weights.sum()


def _tokenizer(languages: Sequence[str], lowercase: bool) -> Tokenizer:
    """One that cuts and spells as `jointalign` does, without words."""
    try:
        from tokenizers import Regex, Tokenizer
        from tokenizers.models import WordLevel
        from tokenizers.normalizers import NFC, Lowercase, Replace
        from tokenizers.normalizers import Sequence as Steps
        from tokenizers.pre_tokenizers import Split
    except ImportError:
        raise MissingExtraError("tokenizers", "static") from None
    from jointalign.corpora.tokenization import PortableRules

    rules = PortableRules.of(languages, lowercase)
    before, after = (
        [Replace(Regex(expression), text) for expression, text in some]
        for some in (rules.spelling, rules.lowered)
    )
    tokenizer = Tokenizer(WordLevel({UNKNOWN: 0}, UNKNOWN))
    tokenizer.normalizer = Steps([*before, *([Lowercase()] if lowercase else []), NFC(), *after])
    tokenizer.pre_tokenizer = Split(Regex(rules.words), "removed", invert=True)
    return tokenizer


def _reached(tokenizer: Tokenizer, words: Sequence[str]) -> np.ndarray:
    """Which words come out of a text that holds them, alone or, as `'s`, after a letter, `(n,)`."""
    spell, cut = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str

    def is_cut(text: str, pieces: list[str]) -> bool:
        return [piece for piece, _ in cut(spell(text))] == pieces

    return np.array([is_cut(word, [word]) or is_cut(f"a{word}", ["a", word]) for word in words], bool)


def _set_words(tokenizer: Tokenizer, words: Sequence[str]) -> None:
    from tokenizers import AddedToken
    from tokenizers.models import WordLevel

    numbers = {UNKNOWN: 0} | {word: row for row, word in enumerate(words, 1)}
    tokenizer.model = WordLevel(numbers, UNKNOWN)
    tokenizer.add_special_tokens([AddedToken(UNKNOWN, special=True)])
