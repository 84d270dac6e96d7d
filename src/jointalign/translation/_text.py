"""Text as numbers: pieces of words, sentences of them, noise on sentences, and batches.

Byte-pair encoding is learnt on both languages together (Sennrich et al. 2016, on bytes); noise
shuffles, drops and blanks whole words (Lample et al. 2018a, section 2.3).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.translation.base import BLANK, END, PADDING, SPECIAL, START_SOURCE, NoiseSettings

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences as numbers.

    Args:
        tokens: All tokens, one sentence after the other, int32 `(t,)`, without start and end.
        words: Number of the word, within its sentence, that each token is a piece of, int32 `(t,)`.
        ends: Number of tokens up to the end of each sentence, int64 `(n,)`.
    """

    tokens: np.ndarray
    words: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sentence, int64 `(n,)`."""
        return np.diff(self.ends, prepend=0)

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], words: Sequence[np.ndarray] | None = None) -> Sentences:
        """Put sentences together; without `words` each token is a word."""
        words = [np.arange(len(row)) for row in rows] if words is None else words
        empty = np.zeros(0, np.int32)
        return cls(
            np.concatenate([empty, *rows]).astype(np.int32),
            np.concatenate([empty, *words]).astype(np.int32),
            np.cumsum([len(row) for row in rows], dtype=np.int64),
        )

    def __iter__(self) -> Iterator[np.ndarray]:
        start = 0
        for end in self.ends.tolist():
            yield self.tokens[start:end]
            start = end

    def take(self, rows: np.ndarray) -> Sentences:
        """Some sentences, in the order given."""
        lengths, ends = self.lengths[rows], self.ends[rows]
        new_ends = np.cumsum(lengths)
        # Where each token was: its place in the result, moved by as much as its sentence was.
        chosen = np.arange(lengths.sum()) + np.repeat(ends - new_ends, lengths)
        return Sentences(self.tokens[chosen], self.words[chosen], new_ends)


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
        from tokenizers import pre_tokenizers, trainers

        tokenizer = _new_tokenizer()
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
        """What `to_text` wrote.

        Raises:
            JointalignError: If it is anything else, such as a tokenizer of another kind.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # the package knows no other
            raise JointalignError(f"the pieces cannot be read ({error})") from None
        numbers = sorted(tokenizer.get_vocab(with_added_tokens=False).values())
        if _way(tokenizer) != _way(_new_tokenizer()) or numbers != list(range(len(numbers))):
            raise JointalignError("the pieces are not cut as by jointalign")
        return cls(tokenizer, lowercase)


def _new_tokenizer() -> Tokenizer:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_WORDS), "isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, as_bytes])  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    return tokenizer


def _way(tokenizer: Tokenizer) -> dict[str, Any]:
    """How a tokenizer cuts, but for its pieces and merges."""
    whole = json.loads(tokenizer.to_str())
    return {**whole, "model": {**whole["model"], "vocab": None, "merges": None}}


def _prepared(line: str, lowercase: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", line).split())
    text = text.lower() if lowercase else text
    return f" {text}" if text else ""


def add_noise(sentences: Sentences, settings: NoiseSettings, random: np.random.Generator) -> Sentences:
    """Shuffle, drop, then blank words; the pieces of a word stay together and in order.

    Every sentence keeps one word at least.

    Args:
        sentences: Left as they are.
        settings: How much of each.
        random: The only source of randomness.

    Example:
        >>> one = Sentences.of([np.arange(10, 16)])
        >>> add_noise(one, NoiseSettings(0, 0, 0.5), np.random.default_rng(0)).tokens.tolist()
        [10, 2, 12, 2, 14, 15]
    """
    owners = np.repeat(np.arange(len(sentences)), sentences.lengths)
    word, first = _words(sentences.words, owners)
    count = len(first)
    owner, place = owners[first], sentences.words[first].astype(np.float64)
    keys = place + random.random(count) * settings.shuffle
    kept = _kept(owner, random.random(count), settings.drop, len(sentences))
    blank = random.random(count) < settings.blank
    # Tokens of one word have one key, and the sort is stable: they stay together.
    order = np.lexsort((keys[word], owners)) if settings.shuffle else np.arange(len(word))
    order = order[kept[word[order]]]
    tokens = np.where(blank[word[order]], BLANK, sentences.tokens[order])
    lengths = np.bincount(owners[order], minlength=len(sentences))
    return Sentences(tokens.astype(np.int32), sentences.words[order], np.cumsum(lengths))


def _words(words: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of each token's word among all words, and where each of these begins."""
    begins = np.ones(len(words), bool)
    begins[1:] = (words[1:] != words[:-1]) | (owners[1:] != owners[:-1])
    return np.cumsum(begins) - 1, np.flatnonzero(begins)


def _kept(owner: np.ndarray, luck: np.ndarray, drop: float, sentences: int) -> np.ndarray:
    """Words that stay: those that are lucky, and the luckiest of each sentence."""
    best = np.zeros(sentences)
    np.maximum.at(best, owner, luck)
    return (luck >= drop) | (luck == best[owner])


_SORTED_TOGETHER = 50


class Batches:
    """An endless stream of batches; any of them can be asked for, so nothing need be remembered.

    Args:
        lengths: Of the sentences, int64 `(n,)`.
        size: Sentences a batch.
        seed: With `stream` the only source of randomness.
        stream: Tells the streams of one training apart.
    """

    def __init__(self, lengths: np.ndarray, size: int, seed: int, stream: int) -> None:
        self._lengths, self._size = lengths, min(size, len(lengths))
        self._seed, self._stream = seed, stream
        self._in_pass = max(1, len(lengths) // self._size)
        self._pass, self._order = -1, np.zeros((0, 0), np.int64)

    def rows(self, number: int) -> np.ndarray:
        """Rows of the sentences of a batch, int64 `(size,)`."""
        turn, place = divmod(number, self._in_pass)
        if turn != self._pass:
            self._pass, self._order = turn, self._ordered(turn)
        return self._order[place]

    def _ordered(self, turn: int) -> np.ndarray:
        """All batches of one pass over the sentences; less than one batch is left for the next."""
        random = np.random.default_rng([self._seed, self._stream, turn])
        order = random.permutation(len(self._lengths))[: self._in_pass * self._size]
        chunk = self._size * _SORTED_TOGETHER
        parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
        parts = [part[np.argsort(self._lengths[part], kind="stable")] for part in parts]
        batches = np.concatenate(parts).reshape(self._in_pass, self._size)
        return batches[random.permutation(self._in_pass)]


def source_tensor(sentences: Sentences, language: int, device: torch.device) -> torch.Tensor:
    """What the encoder reads: start of the language, tokens, end; `(n, longest + 2)`."""
    return _filled(sentences, START_SOURCE + language, device)


def target_tensors(
    sentences: Sentences, language: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the decoder reads (start, tokens) and what it should say (tokens, end)."""
    whole = _filled(sentences, START_SOURCE + language, device)
    return whole[:, :-1], whole[:, 1:]


def _filled(sentences: Sentences, start: int, device: torch.device) -> torch.Tensor:
    import torch

    lengths = sentences.lengths
    rows = np.full((len(lengths), int(lengths.max(initial=0)) + 2), PADDING, np.int64)
    rows[:, 0] = start
    places = np.arange(rows.shape[1])
    rows[(places >= 1) & (places <= lengths[:, None])] = sentences.tokens
    rows[np.arange(len(lengths)), lengths + 1] = END
    return torch.from_numpy(rows).to(device)
