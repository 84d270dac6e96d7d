"""What a run has left in its folder, opened again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read, read_bilingual
from jointalign.lexicon import Lexicon
from jointalign.pipeline.ranked import unaligned_spaces
from jointalign.reallocation import reallocate
from jointalign.selection.base import Spaces
from jointalign.storage.facts import read_json
from jointalign.storage.stages import in_step

SETTINGS = "settings.json"


@dataclass(frozen=True, eq=False)
class Finished:
    """The spaces of a run, one after each step.

    Args:
        joint: After joint training: all words seen in both corpora are shared.
        reallocated: After vocabulary reallocation.
        aligned: After alignment.
        lexicon: Training dictionary.
    """

    joint: BilingualEmbedding
    reallocated: BilingualEmbedding
    aligned: BilingualEmbedding
    lexicon: Lexicon


class _Settings(TypedDict):
    """What is needed of them."""

    lexicon: str | None
    source_language: str
    target_language: str
    lowercase: bool


def finished(folder: Path, lexicon: Path | None = None) -> Finished:
    """Open the results of a run.

    Args:
        folder: The run's folder.
        lexicon: Another dictionary than the run's own.

    Raises:
        JointalignError: If there is no finished run in the folder.
    """
    if not in_step(folder, ["count", "train", "align"]):
        raise JointalignError(
            f"{folder}: no aligned embedding here; finish `jointalign run --out {folder}` first"
        )
    settings = read_json(folder / SETTINGS, _Settings, "the settings of a run", "start the run again")
    lexicon = lexicon or (Path(settings["lexicon"]) if settings["lexicon"] else None)
    if lexicon is None:
        raise JointalignError(f"{folder}: made without a dictionary; name one, whose pairs are to be shown")
    joint = reallocate(
        read(folder / "joint.safetensors"),
        EncodedCorpus.open(folder / "source").counts,
        EncodedCorpus.open(folder / "target").counts,
        1.0,
        settings["source_language"],
        settings["target_language"],
    )
    return Finished(
        joint,
        read_bilingual(folder / "reallocated.safetensors"),
        read_bilingual(folder / "aligned.safetensors"),
        Lexicon.read(
            lexicon, settings["lowercase"], settings["source_language"], settings["target_language"]
        ),
    )


class _TextSettings(TypedDict):
    """What texts are read by."""

    source: str
    target: str
    source_language: str
    target_language: str
    tokenized: bool
    lowercase: bool


def texts(folder: Path) -> dict[str, Corpus]:
    """The texts of a run, by side: `source`, `target`; `folder / side` is where each is encoded.

    Args:
        folder: The run's folder.

    Raises:
        JointalignError: If there is no run in the folder that has come as far as its aligned space.
    """
    if not (folder / SETTINGS).is_file():
        raise JointalignError(f"{folder}: no run here; finish `jointalign run --out {folder}` first")
    settings = read_json(folder / SETTINGS, _TextSettings, "the settings of a run")
    cut = settings["tokenized"], settings["lowercase"]
    return {
        "source": Corpus(settings["source"], settings["source_language"], *cut),
        "target": Corpus(settings["target"], settings["target_language"], *cut),
    }


@dataclass(frozen=True, eq=False)
class Rankable:
    """What translations of a run are ranked by.

    Args:
        spaces: Not aligned; the words are the first's.
        lexicon: The run's training dictionary; `None` for none.
        max_vocabulary: Words of each language.
        seed: Of the run.
    """

    spaces: list[BilingualEmbedding]
    lexicon: Lexicon | None
    max_vocabulary: int
    seed: int


class _RankSettings(_Settings):
    max_vocabulary: int
    seed: int


def rankable(folder: Path) -> Rankable:
    """Open what a run ranks by, so that it can be ranked again by other pairs.

    Args:
        folder: The run's folder.

    Raises:
        JointalignError: If there is no run in the folder that has come as far as its aligned space.
    """
    if not in_step(folder, ["count", "train", "align"]):
        raise JointalignError(
            f"{folder}: no aligned embedding here; finish `jointalign run --out {folder}` first"
        )
    settings = read_json(folder / SETTINGS, _RankSettings, "the settings of a run", "start the run again")
    languages = settings["source_language"], settings["target_language"]
    source, target = (EncodedCorpus.open(folder / side).counts for side in ("source", "target"))
    apart = [folder / f"apart.{side}.safetensors" for side in ("source", "target")]
    separate = None
    if all(path.is_file() for path in apart):
        separate = BilingualEmbedding.separate(read(apart[0]), read(apart[1]), *languages)
    spaces = Spaces((read(folder / "joint.safetensors"), source, target), separate, languages)
    choice = read_json(folder / "choice.json", dict[str, Any], "what the run has chosen")
    split = read_bilingual(folder / "reallocated.safetensors")
    path = settings["lexicon"]
    return Rankable(
        unaligned_spaces(split, spaces, choice),
        None if path is None else Lexicon.read(path, settings["lowercase"], *languages),
        settings["max_vocabulary"],
        settings["seed"],
    )
