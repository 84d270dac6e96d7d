"""The systems of Table 3, and what the paper published for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from jointalign.errors import JointalignError
from jointalign.study._rows import Space


class Kind(StrEnum):
    """What a row is."""

    FLOOR = "floor"
    """One random vector a spelling, the same in both languages: all that spelling alone can do."""

    STATIC = "static"
    """Word vectors."""

    UPPER = "upper"
    """Learnt in the target language itself: what the tagger could do."""

    REPORTED = "reported"
    """Published by others, never run here."""

    CONTEXTUAL = "contextual"
    """Vectors of words in their sentences, from an encoder."""


@dataclass(frozen=True)
class NERRow:
    """A system of Table 3.

    Args:
        name: On the command line and in files.
        title: In the table.
        kind: What it is.
        space: What its vectors are trained as; for static rows.
        aligned: Whether Procrustes maps them.
        characters: Whether words are spelt to the tagger.
        published: Its name among the published numbers; empty if it has none.
    """

    name: str
    title: str
    kind: Kind
    space: Space = Space.SEPARATE
    aligned: bool = False
    characters: bool = True
    published: str = ""


_STATIC = (
    NERRow("floor", "Random vectors (floor)", Kind.FLOOR),
    NERRow("joint", "Unsupervised Joint", Kind.STATIC, Space.JOINT),
    NERRow("supervised-joint", "Supervised Joint (Duong)", Kind.STATIC, Space.SUPERVISED_JOINT),
    NERRow("joint-replace", "Joint-Replace", Kind.STATIC, Space.REPLACED),
    NERRow("align", "Align", Kind.STATIC, Space.SEPARATE, aligned=True),
    NERRow("joint-align", "Joint-Align", Kind.STATIC, Space.REALLOCATED, aligned=True),
)
_CONTEXTUAL = (
    "XLM fine-tune",
    "M-BERT fine-tune (Pires)",
    "M-BERT fine-tune (Wu & Dredze)",
    "M-BERT fine-tune (Keung)",
    "M-BERT fine-tune + adversarial (Keung)",
    "M-BERT feature",
    "M-BERT feature + align",
)
NER_ROWS = (
    *(replace(row, published=row.title) if row.kind is Kind.STATIC else row for row in _STATIC),
    *(
        replace(row, name=f"{row.name}-no-characters", title=f"{row.title}, no characters", characters=False)
        for row in _STATIC
        if row.name in ("floor", "align", "joint-align")
    ),
    NERRow("in-language", "Learnt in the language itself", Kind.UPPER, Space.REALLOCATED, True),
    *(
        NERRow(title.split()[0].lower(), title, Kind.REPORTED, published=title)
        for title in ("Xie et al. 2018 (reported)", "Chen et al. 2019 (reported)")
    ),
    *(
        NERRow(
            title.translate({ord(c): None for c in "()&+"}).lower().replace("  ", " ").replace(" ", "-"),
            title,
            Kind.CONTEXTUAL,
            published=title,
        )
        for title in _CONTEXTUAL
    ),
)
"""All rows in the order of the table."""


class ContextualCell(Protocol):
    """Makes the cells of contextual rows."""

    def __call__(self, row: NERRow, target: str, seed: int) -> dict[str, Any]:
        """The cell of a row, a target language and a seed.

        It holds `counts`: for each sentence of the target's test text, the entities correct,
        predicted and gold; and whatever else is worth keeping, as plain types.
        """
        ...

    def missing(self, row: NERRow, target: str) -> str | None:
        """What a row needs that is not there; `None` if all is."""
        ...


def ner_rows_named(names: tuple[str, ...]) -> tuple[NERRow, ...]:
    """The rows of these names, in the order of the table; all for none.

    Raises:
        JointalignError: If there is no such row.
    """
    known = [row.name for row in NER_ROWS]
    for name in names:
        if name not in known:
            raise JointalignError(f"there is no row '{name}'; choose from all, {', '.join(known)}")
    return tuple(row for row in NER_ROWS if not names or row.name in names)
