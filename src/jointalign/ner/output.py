"""What was tagged, as other programs read it: columns, JSON lines, CoNLL-U, spaCy's `DocBin`.

All but `DocBin` are written as they come. A `DocBin` is one piece, so its words wait in memory, some 40
bytes each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.ner.base import Entity, Sentence
from jointalign.storage.compression import named_suffix
from jointalign.storage.files import write_bytes, write_text

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab


class Output(StrEnum):
    """Forms of tagged text."""

    CONLL = "conll"
    """A word and its tag a line; or the columns of the CoNLL file that was tagged, and one more."""

    JSONL = "jsonl"
    """An object a sentence."""

    CONLLU = "conllu"
    """Ten columns, the tag in the last: `ner=B-PER`, as Stanza has it."""

    DOCBIN = "docbin"
    """A `Doc` a sentence, for spaCy."""

    @classmethod
    def of(cls, path: str | Path | None) -> Output:
        """By the suffix of a file: `.jsonl`, `.conllu`, `.spacy`; columns otherwise."""
        suffixes = {".jsonl": cls.JSONL, ".ndjson": cls.JSONL, ".conllu": cls.CONLLU, ".spacy": cls.DOCBIN}
        return cls.CONLL if path is None else suffixes.get(named_suffix(path), cls.CONLL)


@dataclass(frozen=True)
class TaggedText:
    """A sentence that was tagged, as it stands in its text.

    Args:
        sentence: Words, and tags in BIO2.
        text: The line as it is; the words with blanks between where they came a line each.
        places: Where each word stands in it, from its first character to behind its last.
        entities: With their probabilities; empty if they were not asked for.
        columns: The lines that `Output.CONLL` has for it.
    """

    sentence: Sentence
    text: str
    places: tuple[tuple[int, int], ...]
    entities: tuple[Entity, ...]
    columns: str

    def surface(self, start: int, end: int) -> str:
        """The text from one word to the one before another, as it is written."""
        return self.text[self.places[start][0] : self.places[end - 1][1]]

    def to_json(self) -> dict[str, Any]:
        """Text, words, tags and entities as plain types; places count characters of the text."""
        entities = [
            {
                "type": entity.type,
                "text": self.surface(entity.start, entity.end),
                "start": entity.start,
                "end": entity.end,
                "start_character": self.places[entity.start][0],
                "end_character": self.places[entity.end - 1][1],
                "probability": round(entity.probability, 6),
            }
            for entity in self.entities
        ]
        return {
            "text": self.text,
            "words": self.sentence.words,
            "places": self.places,
            "tags": self.sentence.tags,
            "entities": entities,
        }

    def gaps(self) -> Iterator[str]:
        """What stands before the first word, between each two, and behind the last."""
        ends = [0, *(end for _, end in self.places)]
        starts = [*(start for start, _ in self.places), len(self.text)]
        return (self.text[end:start] for end, start in zip(ends, starts, strict=True))


def written(found: TaggedText, form: Output, number: int) -> str:
    r"""A sentence as lines of a file, each with its end.

    Args:
        found: The sentence.
        form: Any but `DOCBIN`.
        number: Of the sentence, from 1.

    Example:
        >>> sentence = Sentence(("Ana", "sings"), ("B-PER", "O"))
        >>> entity = Entity(0, 1, "PER", 0.9)
        >>> found = TaggedText(sentence, "Ana sings", ((0, 3), (4, 9)), (entity,), "")
        >>> print(written(found, Output.CONLLU, 1).expandtabs(4), end="")
        # sent_id = 1
        # text = Ana sings
        1   Ana _   _   _   _   _   _   _   ner=B-PER|probability=0.900000|start_char=0|end_char=3
        2   sings   _   _   _   _   _   _   _   ner=O|start_char=4|end_char=9|SpacesAfter=\n
        <BLANKLINE>
    """
    if form is Output.CONLL:
        return found.columns
    if form is Output.JSONL:
        return json.dumps(found.to_json(), ensure_ascii=False) + "\n"
    sure = {entity.start: f"|probability={entity.probability:.6f}" for entity in found.entities}
    gaps = list(found.gaps())[1:]
    gaps[-1] += "\n"
    lines = [f"# sent_id = {number}\n# text = {found.text.replace(chr(10), ' ')}\n"]
    tags = found.sentence.tags or ()
    for place, (tag, (start, end), gap) in enumerate(zip(tags, found.places, gaps, strict=True)):
        about = f"ner={tag}{sure.get(place, '')}|start_char={start}|end_char={end}{_space_after(gap)}"
        lines.append("\t".join([str(place + 1), found.text[start:end], *"_______", about]) + "\n")
    return "".join([*lines, "\n"])


_ESCAPES = str.maketrans({" ": "\\s", "\t": "\\t", "\n": "\\n", "\r": "\\r", "|": "\\p", "\\": "\\\\"})


def _space_after(gap: str) -> str:
    """What is not one blank behind a word, as UDPipe writes it."""
    if gap == " ":
        return ""
    return f"|SpacesAfter={gap.translate(_ESCAPES)}" if gap else "|SpaceAfter=No"


def write_tagged(found: Iterable[TaggedText], path: str | Path, form: Output) -> None:
    """Write tagged text into a file, compressed if its suffix says so.

    Raises:
        MissingExtraError: If spaCy is not installed, for `DOCBIN`.
        JointalignError: If the file cannot be written.
    """
    if form is Output.DOCBIN:
        with write_bytes(path) as stream:
            stream.write(_docbin(found))
        return
    with write_text(path) as stream:
        for number, sentence in enumerate(found, 1):
            stream.write(written(sentence, form, number))


def check_form(form: Output, path: Path | None) -> None:
    """Fail early, before a model is read.

    Raises:
        MissingExtraError: If spaCy is not installed, for `DOCBIN`.
        JointalignError: If a `DocBin` should go to the standard output.
    """
    if form is Output.DOCBIN:
        _vocabulary()
        if path is None:
            raise JointalignError("a DocBin is no text and goes into a file; name it with --out")


def _vocabulary() -> Callable[[], Vocab]:
    try:
        from spacy.vocab import Vocab
    except ImportError as error:
        raise MissingExtraError("spacy", "spacy") from error
    return Vocab


def _docbin(found: Iterable[TaggedText]) -> bytes:
    vocabulary = _vocabulary()()
    from spacy.tokens import DocBin

    kept = DocBin(["ENT_IOB", "ENT_TYPE"], store_user_data=True)
    for sentence in found:
        kept.add(_document(sentence, vocabulary))
    return kept.to_bytes()


def _document(found: TaggedText, vocabulary: Vocab) -> Doc:
    """A `Doc` whose text is the line to the character; what is not one blank is a token of its own."""
    from spacy.tokens import Doc, Span

    words: list[str] = []
    spaces: list[bool] = []
    rows = []  # of each word among the tokens
    for gap, place in zip(found.gaps(), [*found.places, None], strict=True):
        if gap.startswith(" ") and words:
            spaces[-1], gap = True, gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)
        if place is not None:
            rows.append(len(words))
            words.append(found.text[slice(*place)])
            spaces.append(False)
    document = Doc(vocabulary, words=words, spaces=spaces)
    spans = [Span(document, rows[e.start], rows[e.end - 1] + 1, label=e.type) for e in found.entities]
    document.set_ents(spans, default="outside")
    document.user_data["probabilities"] = [round(entity.probability, 6) for entity in found.entities]
    return document
