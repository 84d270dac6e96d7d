"""What a ranker says of every word, kept beside the space: translations with probabilities at once.

To rank takes both trainings, their mappings and searches; to look up takes none of it. So the ten best of
every source word are written down when the dictionary is made, and every later question is answered by
the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, TypedDict

import numpy as np

from jointalign.bli.api import Results
from jointalign.bli.base import AS_MUSE, DEPTH, Conditions
from jointalign.bli.lists import evaluate_lists
from jointalign.checks import checked
from jointalign.dictionary.api import Answer, Translation, Translations
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ranges import Range
from jointalign.ranking.api import EVIDENCE, FittedRanker, Ranked
from jointalign.ranking.calibration import threshold_for
from jointalign.ranking.table import LEAST
from jointalign.storage.tensors import Array, Schema, read_tensors, write_tensors

_KIND = "jointalign ranking 1"
_GIVEN = 1 << len(EVIDENCE)


@dataclass(frozen=True, eq=False)
class KeptRanking:
    """The ten best translations of every source word that was ranked.

    Args:
        sides: All source and target words of the space it belongs to.
        sources: Row of each word that was ranked, the most frequent first, int64 `(n,)`.
        targets: Rows of its translations, the surest first, int64 `(n, 10)`; -1 for none.
        probabilities: Of each, float64 `(n, 10)`.
        marks: What speaks for each, a bit for each of `EVIDENCE`, and one for pairs that were given,
            uint8 `(n, 10)`.
        known: Rows of the given pairs, int64 `(k, 2)`.
        firsts: Probability of the first translation of each held-out word, and whether it is right.
    """

    sides: tuple[Embedding, Embedding]
    sources: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray
    marks: np.ndarray
    known: np.ndarray
    firsts: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, fitted: FittedRanker, space: BilingualEmbedding) -> KeptRanking:
        """Rank all words.

        Args:
            fitted: What ranks.
            space: That the answers are to be kept beside; it has all words of the ranker.

        Raises:
            JointalignError: If it lacks one.
        """
        sides = space.source, space.target
        try:
            places = [
                np.array([side.vocabulary.rows[word] for word in own.words], np.int64)
                for side, own in zip(sides, fitted.sides, strict=True)
            ]
        except KeyError as error:
            raise JointalignError(f"the space does not have {error}, which the ranker has") from None
        words = fitted.sides[0].words
        targets = np.full((len(words), DEPTH), -1, np.int64)
        probabilities = np.zeros((len(words), DEPTH))
        marks = np.zeros((len(words), DEPTH), np.uint8)
        rows = fitted.sides[1].vocabulary.rows
        for at, ranked in enumerate(fitted.rank(words, DEPTH)):
            for place, one in enumerate(ranked):
                targets[at, place] = places[1][rows[one.target]]
                probabilities[at, place] = one.probability
                marks[at, place] = _GIVEN * one.given + sum(1 << EVIDENCE.index(e) for e in one.evidence)
        known = np.stack([places[side][fitted.known[:, side]] for side in (0, 1)], axis=1)
        return cls(sides, places[0], targets, probabilities, marks, known, fitted.firsts)

    @classmethod
    def empty(cls, space: BilingualEmbedding) -> KeptRanking:
        """Of no word: what is kept where nothing was ranked."""
        table = np.zeros((0, DEPTH))
        rows, ends = table.astype(np.int64), table[:, 0]
        marks, known = table.astype(np.uint8), rows[:, :2]
        return cls((space.source, space.target), rows[:, 0], rows, table, marks, known, (ends, ends > 0))

    @cached_property
    def _places(self) -> dict[str, int]:
        words = self.sides[0].words
        return {words[row]: place for place, row in enumerate(self.sources.tolist())}

    def threshold(self, precision: float) -> float | None:
        """As `FittedRanker.threshold`."""
        return threshold_for(precision, *self.firsts)

    def least(self, precision: float | None) -> float:
        """The probability that an entry needs for a list that is right so often; more than 1 for none.

        Args:
            precision: Share of first translations that are right; `None` for what is usual, `LEAST`.
        """
        if precision is None:
            return LEAST
        found = self.threshold(precision)
        return 2.0 if found is None else found

    def rank(self, words: Sequence[str], count: int = 5) -> list[list[Ranked]]:
        """Translations of source words, the surest first; at most ten, none of words not ranked.

        Raises:
            JointalignError: If `count` is not positive.
        """
        if count < 1:
            raise JointalignError(f"count must be positive, got {count}")
        return [self._of(word, count) for word in words]

    def _of(self, word: str, count: int) -> list[Ranked]:
        place = self._places.get(word)
        if place is None:
            return []
        columns = (self.targets[place], self.probabilities[place], self.marks[place])
        found = zip(*(column[:count].tolist() for column in columns), strict=True)
        return [
            Ranked(
                word,
                self.sides[1].words[target],
                probability,
                rank,
                bool(marks & _GIVEN),
                tuple(name for bit, name in enumerate(EVIDENCE) if marks & 1 << bit),
            )
            for rank, (target, probability, marks) in enumerate(found, start=1)
            if target >= 0
        ]

    @cached_property
    def _given(self) -> dict[str, list[str]]:
        source, target = (side.words for side in self.sides)
        found: dict[str, list[str]] = {}
        for row, other in self.known.tolist():
            found.setdefault(source[row], []).append(target[other])
        return found

    def _with_given(self, word: str, count: int) -> list[Ranked]:
        """The surest translations; before them what was given and is not among the ten best."""
        ranked = self._of(word, DEPTH)
        present = {one.target for one in ranked}
        missing = [other for other in self._given.get(word, ()) if other not in present]
        return [*(Ranked(word, other, 1.0, DEPTH + 1, True, ()) for other in missing), *ranked][:count]

    def answers(self, translations: Translations, words: Sequence[str], *, count: int = 5) -> list[Answer]:
        """Translations with probabilities, the surest first; of words not ranked, those of the space.

        A pair that was given and is not among the ten best comes first: it is in the dictionary.

        Args:
            translations: Of the same space; their scores stand beside the probabilities.
            words: Source words.
            count: Translations a word; at most ten of ranked words, and those that were given.
        """
        found = []
        for answer in translations.of(words, count=max(count, DEPTH)):
            ranked = self._with_given(answer.word, count)
            known = {one.target: (one.score, one.margin) for one in answer.translations}
            missing = [one.target for one in ranked if one.target not in known]
            known |= {
                target: (score, None)
                for target, score in zip(missing, translations.scores(answer.word, missing), strict=True)
            }
            surest = tuple(
                Translation(one.source, one.target, *known[one.target], one.rank, one.probability, one.given)
                for one in ranked
            )
            found.append(replace(answer, translations=surest or answer.translations[:count]))
        return found

    def evaluate(
        self, lexicon: Lexicon, conditions: Conditions = AS_MUSE, *, training: Lexicon | None = None
    ) -> Results:
        """As `FittedRanker.evaluate`, over all words that were ranked."""
        words = lexicon.sources
        ranked = zip(words, self.rank(words, DEPTH), strict=True)
        lists = {word: [one.target for one in some] for word, some in ranked}
        return evaluate_lists(lists, self.sides, lexicon, conditions, training=training)

    def write(self, path: str | Path) -> None:
        """Keep it in a file.

        Raises:
            JointalignError: If the file cannot be written.
        """
        probabilities, right = self.firsts
        tensors = {
            "sources": self.sources,
            "targets": self.targets,
            "probabilities": self.probabilities,
            "marks": self.marks,
            "given_sources": self.known[:, 0],
            "given_targets": self.known[:, 1],
            "firsts": probabilities.astype(np.float64),
            "right": right.astype(np.uint8),
        }
        sizes = {name: str(len(side)) for name, side in zip(("source", "target"), self.sides, strict=True)}
        write_tensors(path, tensors, {"kind": _KIND, "space": _digest(self.sides), **sizes}, sealed=True)

    @classmethod
    def read(cls, path: str | Path, space: BilingualEmbedding) -> KeptRanking | None:
        """Read what `write` wrote, if it belongs to this space.

        Raises:
            JointalignError: If the file cannot be opened.
            FormatError: If it is another kind of file, or damaged.
        """
        sides = space.source, space.target
        tensors, facts = read_tensors(path, _SCHEMA)
        if (facts["source"], facts["target"]) != tuple(map(len, sides)) or facts["space"] != _digest(sides):
            return None
        known = np.stack([tensors["given_sources"], tensors["given_targets"]], axis=1)
        return cls(
            sides,
            tensors["sources"],
            tensors["targets"],
            tensors["probabilities"],
            tensors["marks"],
            known,
            (tensors["firsts"], tensors["right"] > 0),
        )


class _Facts(TypedDict):
    space: str
    source: Annotated[int, Range(least=1)]
    target: Annotated[int, Range(least=1)]


_SCHEMA = Schema(
    f"a file of kind '{_KIND}'",
    _Facts,
    lambda facts: {
        "sources": Array("I64", ("words",), least=0, below=facts["source"]),
        "targets": Array("I64", ("words", DEPTH), least=-1, below=facts["target"]),
        "probabilities": Array("F64", ("words", DEPTH)),
        "marks": Array("U8", ("words", DEPTH)),
        "given_sources": Array("I64", ("pairs",), least=0, below=facts["source"]),
        "given_targets": Array("I64", ("pairs",), least=0, below=facts["target"]),
        "firsts": Array("F64", ("held_out",)),
        "right": Array("U8", ("held_out",)),
    },
    _KIND,
    cure="remove the file, and make the dictionary again with jointalign run or rank",
    sealed=True,
)


def _digest(sides: tuple[Embedding, Embedding]) -> str:
    """Of vectors and words."""
    found = hashlib.sha256()
    for side in sides:
        found.update(np.ascontiguousarray(side.vectors, "<f4").data)
        found.update("\n".join(side.words).encode())
    return found.hexdigest()


def ranking_beside(path: str | Path) -> Path:
    """Where the ranking of a file of a space is kept: `aligned.ranking.safetensors`."""
    return Path(path).with_suffix(".ranking.safetensors")


@checked
def kept_ranking(path: str | Path, space: BilingualEmbedding) -> KeptRanking | None:
    """The ranking kept beside a file of a space, if there is one that belongs to these vectors.

    Args:
        path: File of the space, as `runs/en-es/aligned.safetensors`.
        space: Its content. Turned round it has no ranking, which has a direction.

    Returns:
        What `rank` of it says of a word is what stands in the dictionary of the run.

    Raises:
        FormatError: If the file beside it is damaged.
    """
    found = ranking_beside(path)
    ranking = KeptRanking.read(found, space) if found.is_file() else None
    return ranking if ranking is not None and len(ranking.sources) else None
