"""The tokens of a Hugging Face tokeniser: what text each stands for, and its vector in a space of words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from jointalign.corpora.tokenization import Spelling
from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.formats.static import shares

_BEGINNINGS = "Ġ▁"  # of a word, in byte-level vocabularies and in those of SentencePiece
_NO_CHARACTER = "�"  # bytes that are no whole character
_ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


class Units(StrEnum):
    """What the words of a space are."""

    WORDS = "words"
    """Words of text: a token has the vector of the text that it stands for."""

    TOKENS = "tokens"
    """Tokens of the two tokenisers, as in text that they have cut."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """A tokeniser's vocabulary, by number.

    Args:
        forms: As the tokeniser writes them: `Ġhouse`, `▁house`, `##ing`.
        texts: The text that each stands for, without blanks around it: `house`, `ing`.
        begins: Whether each begins a word, bool `(n,)`.
        special: Numbers of those that mark something, by their own name.
        roles: Numbers of those that have a role: `bos`, `eos`, `unk`, `sep`, `pad`, `cls`, `mask`.
        tokenizer: The tokeniser itself.
    """

    forms: tuple[str, ...]
    texts: tuple[str, ...]
    begins: np.ndarray
    special: dict[str, int]
    roles: dict[str, int]
    tokenizer: Any

    @classmethod
    def of(cls, tokenizer: Any) -> Tokens:
        """Those of a tokeniser of transformers.

        Raises:
            JointalignError: If its numbers have gaps.
        """
        numbers = tokenizer.get_vocab()
        forms = tuple(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
        if None in forms or len(numbers) != len(forms):
            raise JointalignError(
                f"expected a tokenizer that numbers its tokens without gaps, got {len(numbers)} tokens "
                f"and numbers up to {max(numbers.values(), default=-1)}"
            )
        prefix = _continuing(tokenizer)
        special = {form: numbers[form] for form in tokenizer.all_special_tokens}
        decoded = tokenizer.batch_decode([[number] for number in range(len(forms))])
        texts = tuple(_text(*pair, prefix) for pair in zip(forms, decoded, strict=True))
        begins = np.array(
            [not form.startswith(prefix) if prefix else form[:1] in _BEGINNINGS for form in forms], bool
        )
        named = {role: getattr(tokenizer, f"{role}_token_id", None) for role in _ROLES}
        roles = {role: number for role, number in named.items() if number is not None}
        return cls(forms, texts, begins, special, roles, tokenizer)

    def __len__(self) -> int:
        return len(self.forms)

    def special_pairs(self, old: Tokens) -> dict[int, int]:
        """Special tokens of this vocabulary and of an old one of the same name, or else the same role."""
        found = {self.roles[role]: old.roles[role] for role in self.roles if role in old.roles}
        known = {form: number for number, form in enumerate(self.forms)}
        return found | {known[form]: number for form, number in old.special.items() if form in known}

    def shared_pairs(self, old: Tokens) -> np.ndarray:
        """Tokens that stand for the same text, at the same place of a word, in an old vocabulary, too.

        Returns:
            This number and the old one, int64 `(p, 2)`, by the first; special tokens are among them.
        """
        known = {key: number for number, key in enumerate(old._keys())}
        pairs = {number: known[key] for number, key in enumerate(self._keys()) if key in known}
        return np.array(sorted((pairs | self.special_pairs(old)).items()), np.int64).reshape(-1, 2)

    def _keys(self) -> list[tuple[str, bool]]:
        return [
            (form if not text or _NO_CHARACTER in text else text, begins)
            for form, text, begins in zip(self.forms, self.texts, self.begins.tolist(), strict=True)
        ]

    def vectors(self, side: Embedding, language: str, units: Units) -> np.ndarray:
        """A vector for each token, `(n, d)`; zeros where there is none.

        Where the words of a space are words, a token has the vector of its text, made of n-grams where
        the text is no word of the space. A space without n-grams has none for pieces of words: a
        token then has the mean of the words in which it occurs, by their counts (WECHSEL, section 3.2).
        """
        if units is Units.WORDS and side.subwords is None:
            return self._means(side)
        capitals = any(word != word.lower() for word in side.words)
        speller = Spelling(language, lowercase=not capitals).speller()
        found = np.zeros((len(self), side.dimensions), np.float32)
        known: dict[str, np.ndarray | None] = {"": None}
        for number, text in enumerate(self.texts if units is Units.WORDS else self.forms):
            if text not in known:
                spelt = text if text in side else speller(text)
                known[text] = side.vector(spelt) if units is Units.WORDS or spelt in side else None
            if (vector := known[text]) is not None:
                found[number] = vector
        return found

    def _means(self, side: Embedding) -> np.ndarray:
        """Mean of the words in which each token occurs, at their beginning or after a blank."""
        weight = shares(side)
        sums, totals = np.zeros((len(self), side.dimensions)), np.zeros(len(self))
        for text in (list(side.words), [f" {word}" for word in side.words]):
            for row, tokens in enumerate(self.cut(text)):
                numbers = list(set(tokens))
                sums[numbers] += weight[row] * side.vectors[row].astype(np.float64)
                totals[numbers] += weight[row]
        return (sums / np.where(totals > 0, totals, 1)[:, None]).astype(np.float32)

    def cut(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the tokens of each text, without the marks at both ends."""
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []


def _continuing(tokenizer: Any) -> str:
    """What pieces inside a word begin with (`##`); empty where beginnings are marked instead."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    model = {} if backend is None else json.loads(backend.to_str())["model"]
    return (model.get("type") == "WordPiece" and model.get("continuing_subword_prefix")) or ""


def _text(form: str, decoded: str, prefix: str) -> str:
    return (form.removeprefix(prefix) if prefix else decoded).strip()
