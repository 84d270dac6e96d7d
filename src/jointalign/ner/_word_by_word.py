"""Labelled text carried over into another language word by word, labels kept (Xie et al. 2018).

"Neural Cross-Lingual Named Entity Recognition with Minimal Resources", section 3.1.3: each word of the
labelled text becomes its nearest translation, tags stay where they are, and the tagger is learnt in
the other language. Word order stays the source's; their self-attention, which makes up for it, is not
here. Casing comes from the source word, since dictionaries have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ner.base import Sentence


@dataclass(frozen=True)
class CarriedOver:
    """Sentences in the other language.

    Args:
        sentences: As many as there were, with their tags.
        translated: Words with a translation.
        kept: Words without one, left as they are: names, numbers, marks.
    """

    sentences: tuple[Sentence, ...]
    translated: int
    kept: int


def carry_over(sentences: Iterable[Sentence], translations: Mapping[str, str] | Lexicon) -> CarriedOver:
    """Translate labelled sentences word by word and keep their labels.

    Args:
        sentences: With or without tags.
        translations: For a source word, as it is written or in lower case, the target word; or a
            dictionary, of which the first translation of each word counts. Words that it lacks and
            what holds no letter stay as they are.

    Raises:
        JointalignError: If a translation is empty or holds white space: it would be no word.

    Example:
        >>> labelled = Sentence(("The", "House", "in", "LONDON"), ("O", "O", "O", "B-LOC"))
        >>> lexicon = Lexicon((("the", "la"), ("house", "casa"), ("london", "londres"), ("in", "en")))
        >>> carry_over([labelled], lexicon).sentences[0].words
        ('La', 'Casa', 'en', 'LONDRES')
    """
    if isinstance(translations, Lexicon):
        translations = {source: targets[0] for source, targets in translations.grouped().items()}
    found: dict[str, str] = {}
    carried, translated, words = [], 0, 0
    for sentence in sentences:
        for word in sentence.words:
            if word not in found:
                found[word] = _translated(word, translations)
        translated += sum(_key(word, translations) is not None for word in sentence.words)
        words += len(sentence)
        carried.append(Sentence(tuple(map(found.__getitem__, sentence.words)), sentence.tags))
    return CarriedOver(tuple(carried), translated, words - translated)


def distinct_words(texts: Iterable[Sequence[Sentence]]) -> list[str]:
    """The words of some texts that can be translated, in lower case, in the order met."""
    words = (word for sentences in texts for sentence in sentences for word in sentence.words)
    return [word for word in dict.fromkeys(map(str.lower, words)) if _has_letter(word)]


def _translated(word: str, translations: Mapping[str, str]) -> str:
    key = _key(word, translations)
    if key is None:
        return word
    target = translations[key]
    if not target or target.split() != [target]:
        raise JointalignError(f"the translation of '{word}' must be one word, got {target!r}")
    if len(word) > 1 and word.isupper():
        return target.upper()
    return target[0].upper() + target[1:] if word[0].isupper() else target


def _key(word: str, translations: Mapping[str, str]) -> str | None:
    """The form under which a word has a translation; `None` if it has none."""
    if not _has_letter(word):
        return None
    return next((form for form in (word, word.lower()) if form in translations), None)


def _has_letter(word: str) -> bool:
    return any(character.isalpha() for character in word)
