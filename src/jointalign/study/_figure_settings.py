"""What Figure 2 is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from jointalign.study._captions import TOY, write_toy
from jointalign.study.base import Pair
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.vectors import Start, VectorSettings, piece_trainer

TITLES = {
    Start.ALIGN: "Align",
    Start.JOINT: "Joint",
    Start.JOINT_ALIGN: "Joint-Align",
    Start.SUPERVISED_JOINT: "Supervised Joint (Duong et al.)",
    Start.RANDOM: "Random vectors",
    Start.SUPERVISED: "Supervised translation (upper bound)",
}
DEFAULT = (Start.ALIGN, Start.JOINT, Start.JOINT_ALIGN)


@dataclass(frozen=True)
class FigureSettings:
    """Everything that decides the numbers.

    Args:
        data: Folder with `translation/NAME.en-de/`, `mono/` and `lexicons/`.
        pair: Languages.
        starts: What models begin with, a curve each.
        shape: Of the models.
        fit: How they are trained.
        vectors: How the vectors are made.
        epochs: How many (20: the paper).
        validation: Sentences that each epoch is measured with.
        corpus: NAME of the large texts, where there are several.
        seed: The only source of randomness.
    """

    data: Path
    pair: Pair
    starts: tuple[Start, ...] = DEFAULT
    shape: Shape = field(default_factory=Shape.small)
    fit: TranslationFitSettings = field(default_factory=TranslationFitSettings.small)
    vectors: VectorSettings = field(
        default_factory=lambda: VectorSettings(piece_trainer(Shape.small().dimensions))
    )
    epochs: int = 20
    validation: int = 300
    corpus: str | None = None
    seed: int = 0

    @classmethod
    def toy(cls, folder: Path, seed: int = 0, starts: tuple[Start, ...] | None = None) -> FigureSettings:
        """The toy cipher, written into the folder: minutes on a processor."""
        write_toy(folder, seed)
        shape, fit = Shape.tiny(), TranslationFitSettings.tiny()
        trainer = replace(piece_trainer(shape.dimensions), subsampling=1e-2)
        vectors = VectorSettings(trainer, pieces=1200)
        starts = starts or (*DEFAULT, Start.RANDOM)
        return cls(folder, TOY, starts, shape, fit, vectors, epochs=5, validation=100, seed=seed)
