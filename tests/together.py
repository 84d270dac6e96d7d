"""A short training of the toy, by one process or by those that `torchrun` has started.

torchrun --nproc-per-node 2 tests/together.py FOLDER

It stops after an epoch, leaves a copy of the checkpoint, and goes on as if started again.
"""

import shutil
import sys
from pathlib import Path

from jointalign.translation.api import CHECKPOINT, Segmentation, Validation, fit, joined
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.cipher import CipherSettings, make_cipher

FIRST = "first.safetensors"


def train(folder, epochs, group=None):
    cipher = make_cipher(CipherSettings(sentences=200, held_out=4))
    texts = cipher.source_lines, cipher.target_lines
    # An odd batch, so that the processes' shares differ; two iterations an epoch.
    settings = TranslationFitSettings.small(
        100, batch_sentences=15, generation_batches=1, warmup=0, dropout=0.0, precision="float32"
    )
    return fit(
        texts,
        Segmentation.learn(texts, 500),
        ("one", "two"),
        epochs=epochs,
        device="cpu",
        shape=Shape(16, 32, 2, 2, 2, 1, 1),
        settings=settings,
        folder=folder,
        group=group,
        validation=Validation.of(*zip(*cipher.test, strict=True)),
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with joined("cpu") as group:
        train(folder, 1, group)
        if group.first:
            shutil.copy(folder / CHECKPOINT, folder / FIRST)
        group.told(None)
        result = train(folder, 3, group)
        weights = result.translator.weights.values()
        digest = sum(float(weight.double().abs().sum()) for weight in weights)
        (folder / f"digest.{group.rank}").write_text(repr(digest))
