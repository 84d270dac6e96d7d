"""One WordPiece vocabulary for all languages, and their text as its pieces."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.contextual._torch import import_transformers, quiet_transformers
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.progress import Progress
from jointalign.storage.bundle import INFO, Bundle, Kind, read_bundle
from jointalign.storage.facts import fits, typed
from jointalign.storage.files import atomic, read_lines

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY_FILE = "vocab.txt"
_CURE = "remove the folder and begin anew"
_LINES_AT_ONCE = 4096
_SAMPLE_CHARACTERS = 40_000_000
_MOST_CHARACTERS = 1000


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """Each language's text as pieces, in files that are mapped into memory.

    Args:
        pieces: One stream a language, uint16 or uint32, a separator after each line.
        languages: Their codes.
        skipped: Lines without a piece.
    """

    pieces: tuple[np.ndarray, ...]
    languages: tuple[str, ...]
    skipped: int


def smoothed_shares(sizes: Sequence[int], smoothing: float) -> list[float]:
    """How often each language is drawn: its share of the text, to a power, so small ones gain.

    Example:
        >>> [round(share, 3) for share in smoothed_shares([900, 100], 0.7)]
        [0.823, 0.177]
    """
    total = sum(sizes)
    weights = [(size / total) ** smoothing for size in sizes]
    return [weight / sum(weights) for weight in weights]


def train_vocabulary(texts: Sequence[Path], folder: Path, size: int, smoothing: float, longest: int) -> Any:
    """Learn a cased WordPiece vocabulary on all texts; leaves a tokenizer that transformers load.

    Args:
        texts: One file a language.
        folder: Where the tokenizer goes.
        size: Number of pieces.
        smoothing: Power of each language's share in the sample that is learnt from.
        longest: Pieces that the model will read at once.
    """
    transformers = import_transformers()
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtraError("tokenizers", "contextual") from error
    sizes = [sum(len(line) for _, line in read_lines(path)) for path in texts]
    for path, characters in zip(texts, sizes, strict=True):
        if not characters:
            raise JointalignError(f"{path}: there is no text in this file")
    shares = smoothed_shares(sizes, smoothing)
    # As much as every language can give its share of without repeating itself.
    most = min(size / share for size, share in zip(sizes, shares, strict=True))
    budget = min(most, _SAMPLE_CHARACTERS)
    wordpiece = tokenizers.BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    budgets = [round(budget * share) for share in shares]
    # Named first, single characters have the same numbers every time; left to the trainer, they
    # come in the order of a hash table, and every choice between equals after them.
    first = [*SPECIAL, *_alphabet(_sampled(texts, budgets))]
    wordpiece.train_from_iterator(
        _sampled(texts, budgets), vocab_size=max(size, len(first)), show_progress=False, special_tokens=first
    )
    folder.mkdir(parents=True, exist_ok=True)
    pieces = sorted(wordpiece.get_vocab().items(), key=lambda item: item[1])
    with atomic(folder / VOCABULARY_FILE, "w") as file:
        file.writelines(f"{piece}\n" for piece, _ in pieces)
    with quiet_transformers():
        tokenizer = transformers.BertTokenizerFast(
            str(folder / VOCABULARY_FILE), do_lower_case=False, strip_accents=False, model_max_length=longest
        )
        tokenizer.save_pretrained(folder)
    return tokenizer


def _alphabet(lines: Iterator[str]) -> list[str]:
    """The most frequent characters; letters and digits also as they are inside a word."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(unicodedata.normalize("NFC", line))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CHARACTERS]
    letters = [letter for letter, _ in ranked if letter.isprintable() and not letter.isspace()]
    inside = [c for c in letters if c.isalnum() or unicodedata.category(c).startswith("M")]
    return [*letters, *(f"##{letter}" for letter in inside)]


def _sampled(texts: Sequence[Path], budgets: Sequence[int]) -> Iterator[str]:
    for path, budget in zip(texts, budgets, strict=True):
        taken = 0
        for _, line in read_lines(path):
            if taken >= budget:
                break
            taken += len(line)
            yield line


def texts_bundle(folder: Path, pieces: int, facts: Mapping[str, Any]) -> Bundle:
    """Where the texts go as pieces, one array a text.

    Args:
        folder: Made if missing.
        pieces: Size of the vocabulary.
        facts: What decides them: `texts`, a list, among the rest.
    """
    kind = Kind("<u2" if pieces <= 1 << 16 else "<u4")
    kinds = {f"pieces-{number}": kind for number in range(len(facts["texts"]))}
    return Bundle(folder, facts, kinds, checked=True)  # each is a row of the model's


def encode_texts(
    texts: Sequence[Path],
    languages: Sequence[str],
    tokenizer: Any,
    bundle: Bundle,
    progress: Progress | None = None,
) -> EncodedTexts:
    """Write each text as pieces, or take what an earlier call has written.

    Args:
        texts: One file a language.
        languages: Their codes.
        tokenizer: As `train_vocabulary` makes it.
        bundle: Where they go.
        progress: Told the lines done.

    Raises:
        OtherWorkError: If there are pieces of other texts or of another vocabulary.
    """
    if bundle.load() is None:
        skipped = 0
        with bundle.writing() as writer:
            for path, name in zip(texts, bundle.kinds, strict=True):
                for block, empty in _blocks(path, tokenizer, progress):
                    skipped += empty
                    writer.append(name, block)
            writer.finish({"skipped": skipped})
    arrays, note = read_bundle(bundle.folder, "text in pieces", _CURE)
    with fits(bundle.folder / INFO, "the note of text in pieces", _CURE):
        skipped = typed(note.state.get("skipped"), int, "skipped")
    return EncodedTexts(tuple(arrays.values()), tuple(languages), skipped)


def _blocks(path: Path, tokenizer: Any, progress: Progress | None) -> Iterator[tuple[np.ndarray, int]]:
    backend, separator = tokenizer.backend_tokenizer, tokenizer.sep_token_id
    lines: list[str] = []
    number = 0
    for number, line in read_lines(path):
        lines.append(line)
        if len(lines) == _LINES_AT_ONCE:
            yield _block(backend, lines, separator)
            lines = []
            if progress is not None:
                progress(number, None, path.name)
    yield _block(backend, lines, separator)


def _block(backend: Any, lines: list[str], separator: int) -> tuple[np.ndarray, int]:
    found = [one.ids for one in backend.encode_batch(lines, add_special_tokens=False)]
    empty = sum(not ids for ids in found)
    flat = [piece for ids in found if ids for piece in (*ids, separator)]
    return np.array(flat, np.int64), empty
