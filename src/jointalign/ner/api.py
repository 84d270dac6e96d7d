"""Learn a tagger in one language, and use it in any language of its vectors.

Files are tagged as streams: memory holds some thousand sentences at a time. Text that is no text
may have no ends of sentences, so parts have a greatest number of words, too, and longer sentences
than any real one are tagged in pieces.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jointalign.corpora.tokenization import located, parted, tokenizer
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import FormatError, JointalignError
from jointalign.ner import storage
from jointalign.ner._blocks import Block, blocks
from jointalign.ner._columns import columns_of, words_of
from jointalign.ner._fit import History, Text, fit
from jointalign.ner._scoring import RESAMPLES, counted, score
from jointalign.ner._settings import TaggerFitSettings, TaggerSettings
from jointalign.ner._tagger import Alphabet, Examples, Tagger, WordInputs, find_all, tag_all
from jointalign.ner._words import UNKNOWN, StaticInputs, WordTable
from jointalign.ner.base import Entity, NERResult, Scheme, Sentence, to_scheme
from jointalign.ner.output import TaggedText
from jointalign.progress import Progress
from jointalign.storage.files import read_lines
from jointalign.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

AT_ONCE, WORDS_AT_ONCE = 4000, 200_000
"""Sentences, and about so many words, tagged together: enough for batches of like length."""

LONGEST = 5000
"""Words of a sentence that are tagged together; the longest of the CoNLL files has 1,238."""

_Item = TypeVar("_Item")


class Select(StrEnum):
    """Whose development text decides when to stop."""

    SOURCE = "source-dev"
    """The language that is learnt from: zero-shot, strictly."""

    TARGET = "target-dev"
    """The other language, as in the released code: its labels are looked at."""


@dataclass(frozen=True, eq=False)
class NERModel:
    """A tagger and how it came about.

    Args:
        tagger: The network with its words.
        about: Plain facts: language, seed, scores while learning.
    """

    tagger: Tagger
    about: dict[str, Any]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it can tag; empty where its vectors do not come from a table."""
        inputs = self.tagger.inputs
        return inputs.table.languages if isinstance(inputs, StaticInputs) else ()


def train(
    words: BilingualEmbedding | WordTable,
    training: Text,
    development: Text,
    settings: TaggerSettings | None = None,
    fit_settings: TaggerFitSettings | None = None,
    *,
    learn_vectors: bool = False,
    device: str = "cpu",
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NERModel:
    """Learn a tagger from sentences with tags, in one of the languages of some vectors.

    Args:
        words: Vectors of two languages in one space, or a table of any number of them.
        training: Sentences to learn from, and their language.
        development: Sentences that decide when to stop. Of the same language for zero-shot use in
            another; of the other for comparison with the released code.
        settings: Of the network; Lample et al. (2016) for `None`.
        fit_settings: Of the learning.
        learn_vectors: Whether vectors are learnt on, which only moves those of the training text.
        device: `cpu`, `cuda`, ...
        seed: The only source of randomness.
        checkpoint: File that keeps the state, so that a killed training goes on exactly.
        progress: Told the number of steps.

    Raises:
        JointalignError: If a text is empty or has no tags, or its language no vectors.
        MissingExtraError: If torch is not installed.

    Example:
        >>> from jointalign.embedding import Embedding
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("ana", "sings")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("eva", "canta")), np.eye(2, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish, "en", "es")
        >>> text = Text([Sentence(("Ana", "sings"), ("B-PER", "O"))] * 16, "en")
        >>> small = TaggerSettings(hidden=8, character_hidden=0)
        >>> quick = TaggerFitSettings(epochs=30, learning_rate=0.03)
        >>> model = train(space, text, text, small, quick)
        >>> predict(model, [Sentence(("Eva", "canta"))], "es")
        [Sentence(words=('Eva', 'canta'), tags=('B-PER', 'O'))]
    """
    settings = settings or TaggerSettings()
    table = words if isinstance(words, WordTable) else WordTable.of(words)
    inputs = StaticInputs(table, learn_vectors, device=device)
    alphabet = Alphabet.of(training.sentences)
    return learnt(inputs, alphabet, training, development, settings, fit_settings, seed, checkpoint, progress)


def learnt(
    inputs: WordInputs,
    alphabet: Alphabet,
    training: Text,
    development: Text,
    settings: TaggerSettings,
    fit_settings: TaggerFitSettings | None,
    seed: int,
    checkpoint: Path | None,
    progress: Progress | None,
    extra_loss: Callable[[int], Tensor] | None = None,
) -> NERModel:
    """A tagger over vectors from anywhere; arguments as for `train`, `Tagger` and `fit`."""
    tagger = Tagger(settings, inputs, labels_of(training.sentences, settings.scheme), alphabet, seed)
    history = fit(
        tagger,
        training,
        development,
        fit_settings,
        seed=seed,
        checkpoint=checkpoint,
        extra_loss=extra_loss,
        progress=progress,
    )
    return NERModel(tagger, _described(training, development, fit_settings, seed, history))


def drawn(sentences: Sequence[Sentence], count: int | None, seed: int = 0) -> tuple[Sentence, ...]:
    """So many of the sentences, drawn at random, in their order; all for `None` or too many."""
    if count is None or count >= len(sentences):
        return tuple(sentences)
    rows = np.random.default_rng(seed).permutation(len(sentences))[:count]
    return tuple(sentences[row] for row in np.sort(rows).tolist())


def labels_of(sentences: Sequence[Sentence], scheme: Scheme) -> tuple[str, ...]:
    """All tags of some sentences in a scheme, sorted.

    Raises:
        JointalignError: If a sentence has none.
    """
    found = set()
    for number, sentence in enumerate(sentences, 1):
        if sentence.tags is None:
            raise JointalignError(f"sentence {number} has no tags to learn from")
        found |= set(to_scheme(sentence.tags, scheme))
    return tuple(sorted(found))


def _described(
    training: Text, development: Text, fit_settings: TaggerFitSettings | None, seed: int, history: History
) -> dict[str, Any]:
    """What is kept with a tagger of how it came about."""
    same = training.language == development.language
    return {
        "language": training.language,
        "sentences": len(training.sentences),
        "select": str(Select.SOURCE if same else Select.TARGET),
        "fit": asdict(fit_settings or TaggerFitSettings()),
        "seed": seed,
        "development_f1": list(history.development_f1),
        "losses": list(history.losses),
        "best": history.best,
        "stopped_early": history.stopped_early,
        "version": __version__,
    }


def predict(model: NERModel, sentences: Sequence[Sentence], language: str) -> list[Sentence]:
    """Tag sentences.

    Args:
        model: The tagger.
        sentences: Tags that they have are not looked at. The same sentence gets the same tags,
            whatever it is tagged together with.
        language: Of the sentences.

    Returns:
        The sentences with tags in BIO2.

    Raises:
        JointalignError: If the tagger has no vectors for this language.
    """
    if not sentences:
        return []
    tags = tag_all(model.tagger, Examples(model.tagger, sentences, language))
    return [
        replace(sentence, tags=to_scheme(row, Scheme.BIO2))
        for sentence, row in zip(sentences, tags, strict=True)
    ]


def find(
    model: NERModel, sentences: Sequence[Sentence], language: str
) -> list[tuple[Sentence, tuple[Entity, ...]]]:
    """Tag sentences, and say how probable each entity is; arguments as for `predict`.

    A probability is the tagger's own, over all rows of tags that a sentence can have: that the entity
    is there, with just these words and this type.
    """
    if not sentences:
        return []
    found = find_all(model.tagger, Examples(model.tagger, sentences, language))
    return [
        (replace(sentence, tags=to_scheme(tags, Scheme.BIO2)), entities)
        for sentence, (tags, entities) in zip(sentences, found, strict=True)
    ]


def predict_lines(
    model: NERModel, path: str | Path, language: str, tokenized: bool = False, probable: bool = False
) -> Iterator[TaggedText]:
    """Tag a text of one sentence a line, as a stream that holds some thousand sentences at a time.

    Args:
        model: The tagger.
        path: Of the text, plain or compressed; `-` for the standard input.
        language: Its words are cut out by the rules of this language, their case kept.
        tokenized: Whether they are cut already, at white space.
        probable: Whether entities with their probabilities are wanted.

    Yields:
        Each sentence; a line without a word gives none.

    Raises:
        JointalignError: If the tagger has no vectors for this language, or the text can't be read.
    """
    cut = parted if tokenized else tokenizer(language, lowercase=False)
    found = ((line, words) for _, line in read_lines(path) if (words := cut(line)))
    for part in _parts(found, lambda item: len(item[1])):
        sentences = [Sentence(tuple(words)) for _, words in part]
        tagged = _tagged(model, sentences, language, probable)
        for (line, words), (sentence, entities) in zip(part, tagged, strict=True):
            pairs = zip(sentence.words, sentence.tags or (), strict=True)
            columns = "".join(f"{word} {tag}\n" for word, tag in pairs) + "\n"
            places = tuple(located(line, words, language)) if probable else ()
            yield TaggedText(sentence, line, places, entities, columns)


def predict_conll(
    model: NERModel,
    path: str | Path,
    language: str,
    encoding: str = "utf-8",
    word_column: int | None = None,
    probable: bool = False,
) -> Iterator[TaggedText]:
    """Tag a file of a word a line, as a stream that holds some thousand sentences at a time.

    Args:
        model: The tagger.
        path: Of the file, plain or compressed; `-` for the standard input.
        language: Of its words.
        encoding: Of the file.
        word_column: Column of the words, from 0; default: found out.
        probable: Whether entities with their probabilities are wanted.

    Yields:
        Each sentence; its columns are its lines as they are with the tag as a further column, after
        the lines before it that are no words.

    Raises:
        JointalignError: If the tagger has no vectors for this language, or the file can't be read.
        FormatError: If a line has no such column.
    """
    columns = None
    for part in _parts(blocks(path, encoding), lambda block: len(block.rows)):
        if columns is None:
            columns = columns_of(path, part, word_column, tagged=False)
        for block in part:
            _check(path, block, columns.word)
        tagged = _tagged(model, [words_of(block, columns) for block in part], language, probable)
        for block, (sentence, entities) in zip(part, tagged, strict=True):
            ends = np.cumsum([len(word) + 1 for word in sentence.words]).tolist()
            sizes = zip(ends, map(len, sentence.words), strict=True)
            places = tuple((end - 1 - size, end - 1) for end, size in sizes)
            text = " ".join(sentence.words)
            yield TaggedText(sentence, text, places, entities, block.with_tags(sentence.tags or ()))


def _check(path: str | Path, block: Block, column: int) -> None:
    for number, row in zip(block.numbers, block.rows, strict=True):
        if len(row) <= column:
            reason = f"expected a word in column {column}, got {' '.join(row)}"
            raise FormatError(path, number, reason)


def _parts(items: Iterable[_Item], words: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    part: list[_Item] = []
    count = 0
    for item in items:
        part.append(item)
        count += words(item)
        if len(part) == AT_ONCE or count >= WORDS_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def _tagged(
    model: NERModel, sentences: Sequence[Sentence], language: str, probable: bool
) -> Iterator[tuple[Sentence, tuple[Entity, ...]]]:
    """Tag sentences; those of too many words in pieces, after which they are whole again."""
    pieces = [list(_pieces(sentence)) for sentence in sentences]
    parts = [piece for row in pieces for piece in row]
    found = find(model, parts, language) if probable else ((s, ()) for s in predict(model, parts, language))
    tagged = iter(found)
    for sentence, row in zip(sentences, pieces, strict=True):
        if len(row) > 1:
            logger.warning(
                "a sentence of %d words, '%s ...', was tagged in %d pieces: are there no ends of sentences?",
                len(sentence),
                " ".join(sentence.words[:5])[:60],
                len(row),
            )
        tags: list[str] = []
        entities: list[Entity] = []
        for piece, there in (next(tagged) for _ in row):
            moved = len(tags)
            entities += [replace(e, start=e.start + moved, end=e.end + moved) for e in there]
            tags += piece.tags or ()
        yield Sentence(sentence.words, tuple(tags)), tuple(entities)


def _pieces(sentence: Sentence) -> Iterator[Sentence]:
    for start in range(0, len(sentence), LONGEST):
        yield Sentence(sentence.words[start : start + LONGEST])


def evaluate(
    model: NERModel,
    sentences: Sequence[Sentence],
    language: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NERResult:
    """Tag sentences and score the tags against those that they have.

    Args:
        model: The tagger.
        sentences: With tags.
        language: Of the sentences.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        JointalignError: If there is no sentence, one has no tags, or the tagger has no vectors for
            this language.
    """
    return score(sentences, tagged(model, Text(sentences, language)), language, resamples, seed)


def tagged(model: NERModel, text: Text) -> list[tuple[str, ...]]:
    """The tags that a tagger gives to each sentence of a text, in BIO2."""
    return [s.tags or () for s in predict(model, text.sentences, text.language)]


def sentence_counts(model: NERModel, text: Text) -> np.ndarray:
    """Entities correct, predicted and gold in each sentence, int64 `(n, 3)`."""
    return counted(text.sentences, tagged(model, text))[0]


def coverage(model: NERModel, text: Text) -> float | None:
    """Percentage of the words of a text that have a vector; `None` where that means nothing."""
    inputs = model.tagger.inputs
    if not isinstance(inputs, StaticInputs):
        return None
    return inputs.prepare(text.sentences, text.language).coverage


def vocabulary_of(model: NERModel, language: str) -> Callable[[str], bool] | None:
    """Whether a word of a language has a vector; `None` where that means nothing."""
    inputs = model.tagger.inputs
    if not isinstance(inputs, StaticInputs):
        return None
    return lambda word: inputs.table.row(word, language) != UNKNOWN


def write(model: NERModel, folder: str | Path) -> None:
    """Write a tagger into a folder; see `storage.write`."""
    storage.write(model.tagger, folder, model.about)


def read(folder: str | Path, device: str = "cpu") -> NERModel:
    """Read a tagger from its folder; see `storage.read`."""
    return NERModel(*storage.read(folder, device))
