"""Where Figure 2 finds its texts, and its toy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jointalign._compression import COMPRESSIONS
from jointalign.errors import JointalignError
from jointalign.files import read_lines
from jointalign.study.base import Pair
from jointalign.translation.cipher import CipherSettings, make_cipher

Lines = tuple[str, ...]
TOY = Pair("one", "two")


@dataclass(frozen=True)
class Captions:
    """A parallel corpus, of which learning without supervision sees two halves of different lines.

    Args:
        folder: Where it lies.
        train: Lines of source and target, translations of each other.
        validation: Likewise, held out.
        test: Likewise.
    """

    folder: Path
    train: tuple[Lines, Lines]
    validation: tuple[Lines, Lines]
    test: tuple[Lines, Lines]

    @property
    def halves(self) -> tuple[Lines, Lines]:
        """The first half of the source and the second half of the target: no translations."""
        source, target = self.train
        return source[: len(source) // 2], target[len(target) // 2 :]


def captions(data: Path, pair: Pair) -> Captions:
    """The parallel corpus of a pair: `translation/NAME.en-de/train.en`, `val.en`, `test.en`.

    Of several parts with one beginning, such as `test_2016.en` and `test_2017.en`, the first by
    name is taken.

    Raises:
        JointalignError: If there is none, or more than one, or a part is missing or uneven.
    """
    names = str(pair), str(pair.reversed())
    folders = sorted(f for name in names for f in (data / "translation").glob(f"*.{name}"))
    if len(folders) != 1:
        found = ", ".join(folder.name for folder in folders) or "none"
        raise JointalignError(
            f"expected one folder {data}/translation/NAME.{pair} with train.{pair.source}, "
            f"val.{pair.source}, test.{pair.source} and the same in {pair.target}; found {found}"
        )
    parts = [_part(folders[0], name, pair) for name in ("train", "val", "test")]
    return Captions(folders[0], *parts)


def _part(folder: Path, name: str, pair: Pair) -> tuple[Lines, Lines]:
    sides = []
    for code in (pair.source, pair.target):
        endings = [f".{code}{ending}" for ending in ("", *COMPRESSIONS)]
        paths = sorted(p for p in folder.glob(f"{name}*") if p.name.endswith(tuple(endings)))
        if not paths:
            raise JointalignError(f"{folder}: expected {name}.{code}, compressed or not")
        sides.append((paths[0], tuple(line for _, line in read_lines(paths[0]))))
    (one, source), (two, target) = sides
    if len(source) != len(target):
        raise JointalignError(
            f"{one} has {len(source)} lines and {two} has {len(target)}; they must be translations "
            "of each other, line by line"
        )
    return source, target


def write_toy(folder: Path, seed: int) -> None:
    """The toy cipher, where the study looks for its data."""
    make_cipher(CipherSettings(sentences=12_000), seed).write(folder, (TOY.source, TOY.target))
