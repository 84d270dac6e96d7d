"""The systems that the tables compare, and what the paper published for them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from jointalign.alignment.api import method_named, method_names
from jointalign.alignment.base import Supervision
from jointalign.errors import JointalignError


class Space(StrEnum):
    """What a row's mapping is learnt in."""

    SEPARATE = "separate"
    """Two trainings that know nothing of each other."""

    JOINT = "joint"
    """One training on both texts; all words seen in both are shared."""

    REALLOCATED = "reallocated"
    """The same after vocabulary reallocation."""

    SUPERVISED_JOINT = "supervised_joint"
    """Trained on both texts with a dictionary, after Duong et al. (2016)."""

    REPLACED = "replaced"
    """One training on both texts, words being replaced by translations at random."""


class Anchors(StrEnum):
    """Where a row's translation pairs come from."""

    DICTIONARY = "dictionary"
    IDENTICAL = "identical"
    """Words that both languages spell alike: no dictionary."""

    NONE = "none"


class Kind(StrEnum):
    """What a row is."""

    FLOOR = "floor"
    """One random vector a spelling, the same in both languages: all that spelling alone can do."""

    STATIC = "static"
    """Word vectors."""

    UPPER = "upper"
    """Learnt in the target language itself: what the tagger could do."""

    TRANSLATED = "translated"
    """Learnt from the labelled text carried over word by word: by dictionary and nearest neighbours, or
    by ranking."""

    REPORTED = "reported"
    """Published by others, never run here."""

    CONTEXTUAL = "contextual"
    """Vectors of words in their sentences, from an encoder."""


@dataclass(frozen=True)
class Row:
    """A system.

    Args:
        name: On the command line and in files.
        title: In tables; the paper's where it has the row.
        space: What its mapping is learnt in.
        method: Name of the alignment method; empty for none.
        anchors: What it learns from.
        group: Rows are compared with the rows of their own group next to them.
        settings_of: Name of the row whose settings it takes, for a row that leaves a step out.
        kind: What it is; all rows of Tables 1, 2 and 4 are static.
        characters: Whether words are spelt to the tagger (Table 3).
        ranked: Spaces in which translations are ranked by more than CSLS, each mapped anew; empty
            where they are not.
    """

    name: str
    title: str
    space: Space
    method: str = ""
    anchors: Anchors = Anchors.DICTIONARY
    group: str = "supervised"
    settings_of: str = ""
    kind: Kind = Kind.STATIC
    characters: bool = True
    ranked: tuple[Space, ...] = ()

    @property
    def supervised(self) -> bool:
        """Whether it sees the training dictionary."""
        learns = bool(self.method or self.is_trained_so or self.ranked)
        return self.anchors is Anchors.DICTIONARY and learns

    @property
    def is_trained_so(self) -> bool:
        """Whether the dictionary is used by the training itself."""
        return self.space in (Space.SUPERVISED_JOINT, Space.REPLACED)


_NONE = Anchors.NONE
ROWS = (
    Row("muse", "MUSE", Space.SEPARATE, "muse_small", _NONE, "alignment"),
    Row("vecmap-unsupervised", "VecMap", Space.SEPARATE, "vecmap_unsupervised", _NONE, "alignment"),
    Row("dema", "DeMa-BWE", Space.SEPARATE, "dema_small", Anchors.IDENTICAL, "alignment"),
    Row("procrustes", "Procrustes", Space.SEPARATE, "procrustes", group="alignment"),
    Row("refined", "Procrustes, refined", Space.SEPARATE, "refined", group="alignment"),
    Row("geomm", "GeoMM", Space.SEPARATE, "geomm", group="alignment"),
    Row("vecmap", "VecMap, supervised", Space.SEPARATE, "vecmap", group="alignment"),
    Row("rcsls", "RCSLS", Space.SEPARATE, "rcsls", group="alignment"),
    Row("rcsls-in", "RCSLS + IN", Space.SEPARATE, "rcsls_iterative", group="alignment"),
    Row("ranked", "Align + ranking", Space.SEPARATE, group="alignment", ranked=(Space.SEPARATE,)),
    Row("joint", "Unsupervised Joint", Space.JOINT, anchors=_NONE, group="joint"),
    Row("joint-replace", "Joint-Replace", Space.REPLACED, group="joint"),
    Row("supervised-joint", "Supervised Joint (Duong)", Space.SUPERVISED_JOINT, group="joint"),
    Row("without-alignment", "Joint-Align w/o AR", Space.REALLOCATED, anchors=_NONE, group="both"),
    Row("joint-align-muse", "Joint-Align + MUSE", Space.REALLOCATED, "muse_small", _NONE, "both"),
    Row(
        "without-reallocation",
        "Joint-Align + RCSLS w/o VR",
        Space.JOINT,
        "rcsls",
        group="both",
        settings_of="joint-align-rcsls",
    ),
    Row("joint-align-procrustes", "Joint-Align + Procrustes", Space.REALLOCATED, "procrustes", group="both"),
    Row("joint-align-geomm", "Joint-Align + GeoMM", Space.REALLOCATED, "geomm", group="both"),
    Row("joint-align-rcsls", "Joint-Align + RCSLS", Space.REALLOCATED, "rcsls", group="both"),
    Row("joint-align-vecmap", "Joint-Align + VecMap, supervised", Space.REALLOCATED, "vecmap", group="both"),
    Row(
        "joint-align-ranked",
        "Joint-Align + ranking",
        Space.REALLOCATED,
        group="both",
        ranked=(Space.REALLOCATED,),
    ),
    Row(
        "both-ranked",
        "Joint-Align and Align + ranking",
        Space.REALLOCATED,
        group="both",
        ranked=(Space.REALLOCATED, Space.SEPARATE),
    ),
)
"""All systems, in the order of Table 1 of the paper; ours without a published row among them."""

_STATIC = (
    Row("floor", "Random vectors (floor)", Space.SEPARATE, kind=Kind.FLOOR),
    Row("joint", "Unsupervised Joint", Space.JOINT),
    Row("supervised-joint", "Supervised Joint (Duong)", Space.SUPERVISED_JOINT),
    Row("joint-replace", "Joint-Replace", Space.REPLACED),
    Row("align", "Align", Space.SEPARATE, "procrustes"),
    Row("joint-align", "Joint-Align", Space.REALLOCATED, "procrustes"),
)
_BY_OTHERS = (
    ("xie", "Xie et al. 2018 (reported)", Kind.REPORTED),
    ("chen", "Chen et al. 2019 (reported)", Kind.REPORTED),
    ("xlm-fine-tune", "XLM fine-tune", Kind.CONTEXTUAL),
    ("m-bert-fine-tune-pires", "M-BERT fine-tune (Pires)", Kind.CONTEXTUAL),
    ("m-bert-fine-tune-wu-dredze", "M-BERT fine-tune (Wu & Dredze)", Kind.CONTEXTUAL),
    ("m-bert-fine-tune-keung", "M-BERT fine-tune (Keung)", Kind.CONTEXTUAL),
    ("m-bert-fine-tune-adversarial-keung", "M-BERT fine-tune + adversarial (Keung)", Kind.CONTEXTUAL),
    ("m-bert-feature", "M-BERT feature", Kind.CONTEXTUAL),
    ("m-bert-feature-align", "M-BERT feature + align", Kind.CONTEXTUAL),
)
NER_ROWS = (
    *_STATIC,
    *(
        replace(row, name=f"{row.name}-no-characters", title=f"{row.title}, no characters", characters=False)
        for row in _STATIC
        if row.name in ("floor", "align", "joint-align")
    ),
    Row(
        "translate-train",
        "Translate-train, word by word",
        Space.REALLOCATED,
        "procrustes",
        kind=Kind.TRANSLATED,
    ),
    Row(
        "translate-train-ranked",
        "Translate-train, ranked",
        Space.REALLOCATED,
        "procrustes",
        kind=Kind.TRANSLATED,
        ranked=(Space.REALLOCATED,),
    ),
    Row("in-language", "Learnt in the language itself", Space.REALLOCATED, "procrustes", kind=Kind.UPPER),
    *(Row(name, title, Space.SEPARATE, kind=kind) for name, title, kind in _BY_OTHERS),
)
"""All systems of Table 3, in its order."""


class ContextualCell(Protocol):
    """Makes the cells of contextual rows."""

    def __call__(self, row: Row, target: str, seed: int) -> dict[str, Any]:
        """The cell of a row, a target language and a seed.

        It holds `counts`: for each sentence of the target's test text, the entities correct,
        predicted and gold; and whatever else is worth keeping, as plain types.
        """
        ...

    def missing(self, row: Row, target: str) -> str | None:
        """What a row needs that is not there; `None` if all is."""
        ...


_JOINT = "joint-align-"


def rows_named(names: tuple[str, ...], table: tuple[Row, ...] = ROWS) -> tuple[Row, ...]:
    """The rows of these names, in the order of the table; all for none.

    In `ROWS` any alignment method's name is a row, too, and `joint-align-` before it: those that
    other packages register, too.

    Raises:
        JointalignError: If there is no such row, or the method's package is broken.
    """
    known = [row.name for row in table]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown and table is not ROWS:
        raise JointalignError(f"there is no row '{unknown[0]}'; choose from all, {', '.join(known)}")
    others = map(_registered, unknown)
    return (*(row for row in table if not names or row.name in names), *others)


def _registered(name: str) -> Row:
    """A row for an alignment method that no table has, on either kind of space."""
    method = name.removeprefix(_JOINT)
    if method not in method_names():
        known = ", ".join(sorted(row.name for row in ROWS))
        raise JointalignError(
            f"there is no row '{name}'; choose from all, {known}, or an alignment method's name, "
            f"with or without {_JOINT}"
        )
    takes_none = method_named(method).supervision is Supervision.NONE
    anchors = Anchors.NONE if takes_none else Anchors.DICTIONARY
    if method == name:
        return Row(name, name, Space.SEPARATE, method, anchors, "alignment")
    return Row(name, f"Joint-Align + {method}", Space.REALLOCATED, method, anchors, "both")


@cache
def _published() -> dict[str, dict[str, dict[str, float | None]]]:
    text = files("jointalign.study").joinpath("published.json").read_text("utf-8")
    return json.loads(text)


def published(table: str, title: str, direction: str) -> float | None:
    """P@1, or F1, that the paper gives for a row and a direction such as `en-es`; `None` if it has none."""
    return _published()[table].get(title, {}).get(direction)


def all_published(table: str) -> dict[str, dict[str, float | None]]:
    """All figures of a table of the paper, by title and direction."""
    return _published()[table]
