"""Text into pieces of words and back: byte-pair encoding learnt on both languages together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.translation._sentences import Sentences
from jointalign.translation.base import SPECIAL

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# A blank belongs to the word after it, so that nothing is lost; signs stand alone.
_WORDS = r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]"
_AT_ONCE = 10_000


class Segmentation:
    """One set of pieces for both languages (Sennrich et al. 2016, on bytes).

    Any text can be written with it and read back: `decode(encode(lines))` gives the lines as
    `normalised` writes them.

    Args:
        tokenizer: Of the `tokenizers` library.
        lowercase: Whether text is lower-cased first.

    Example:
        >>> segmentation = Segmentation.learn([["the cat", "the dog"], ["der Hund"]], 300)
        >>> segmentation.decode(segmentation.encode(["The  dog, ein Hündchen"]))
        ['The dog, ein Hündchen']
    """

    def __init__(self, tokenizer: Tokenizer, lowercase: bool) -> None:
        self._tokenizer, self.lowercase = tokenizer, lowercase

    @classmethod
    def learn(
        cls, texts: Sequence[Iterable[str]], size: int = 60_000, lowercase: bool = False
    ) -> Segmentation:
        """Learn the pieces from texts of both languages.

        Args:
            texts: Lines of each language; of equal size, or the larger has more pieces.
            size: Number of pieces, 256 of them bytes (60,000: Lample et al. 2018b).
            lowercase: Whether to lower-case.

        Raises:
            JointalignError: If there is no text.
        """
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        split = pre_tokenizers.Split(Regex(_WORDS), "isolated")
        as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, as_bytes])  # type: ignore[assignment]
        tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
            min_frequency=2,
        )
        lines = (_prepared(line, lowercase) for text in texts for line in text)
        first = next(lines, None)
        if first is None:
            raise JointalignError("expected text to learn pieces from, got no line")
        rest = (line for part in ([first], lines) for line in part)
        tokenizer.train_from_iterator(rest, trainer)
        return cls(tokenizer, lowercase)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces as they are written in files, by number; they hold no white space."""
        size = self._tokenizer.get_vocab_size()
        return tuple(self._tokenizer.id_to_token(number) or "" for number in range(size))

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    @property
    def vocabulary(self) -> int:
        """Number of tokens of a model: the pieces, and those that are no text."""
        return len(self) + SPECIAL

    def encode(self, lines: Iterable[str]) -> Sentences:
        """Tokens of each line, with the number of the word that each is a piece of."""
        rows, words, waiting = [], [], iter(lines)
        while batch := [_prepared(line, self.lowercase) for line in islice(waiting, _AT_ONCE)]:
            for found in self._tokenizer.encode_batch(batch, add_special_tokens=False):
                rows.append(np.array(found.ids, np.int32) + SPECIAL)
                words.append(np.array(found.word_ids, np.int32))
        return Sentences.of(rows, words)

    def decode(self, rows: Iterable[np.ndarray]) -> list[str]:
        """The lines that sentences of tokens stand for."""
        kept = [(row[row >= SPECIAL] - SPECIAL).tolist() for row in rows]
        return [line.removeprefix(" ") for line in self._tokenizer.decode_batch(kept)]

    def written(self, sentences: Sentences) -> Iterable[str]:
        """Each sentence as its pieces with blanks between: what embeddings are trained on."""
        pieces = self.pieces
        for row in sentences:
            yield " ".join(pieces[token - SPECIAL] for token in row.tolist())

    def normalised(self, line: str) -> str:
        """A line as `decode` gives it back: one blank between words, composed characters."""
        return _prepared(line, self.lowercase).removeprefix(" ")

    def whole_words(self, lexicon: Lexicon) -> Lexicon:
        """The pairs of a dictionary whose words are one piece each, as pieces."""
        words = [word for pair in lexicon for word in pair]
        found = [row for row in self.encode(words)]
        pieces = self.pieces
        pairs = [
            (pieces[source[0] - SPECIAL], pieces[target[0] - SPECIAL])
            for source, target in zip(found[::2], found[1::2], strict=True)
            if len(source) == len(target) == 1
        ]
        return Lexicon(tuple(dict.fromkeys(pairs)))

    def to_text(self) -> str:
        """All of it as one line of JSON."""
        return self._tokenizer.to_str()

    @classmethod
    def from_text(cls, text: str, lowercase: bool) -> Segmentation:
        """What `to_text` wrote."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_str(text), lowercase)


def _prepared(line: str, lowercase: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", line).split())
    text = text.lower() if lowercase else text
    return f" {text}" if text else ""
