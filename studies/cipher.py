"""What does each part of unsupervised translation give, on the toy cipher?

Trained by turns of denoising and back-translation from aligned vectors (`all`), and with one part
left out: the noise, back-translation, both, or the vectors. A seed makes another cipher, other
vectors and other batches; differences to `all` are by seed, their 95 % intervals Student's t.

    python studies/cipher.py --seeds 3 --out runs/cipher

BLEU is the mean of both directions on 100 held-out sentences after so many iterations, each a step
of every kind that there is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t

from jointalign import BilingualEmbedding, Embedding, Vocabulary
from jointalign.storage.files import atomic
from jointalign.translation.api import Segmentation, Session, Validation, prepare
from jointalign.translation.base import NoiseSettings, Shape, TranslationFitSettings, WeightSchedule
from jointalign.translation.cipher import Cipher, CipherSettings, make_cipher
from jointalign.version import __version__

NEVER = WeightSchedule(((0, 0.0),))
CHANGES: dict[str, dict[str, Any]] = {
    "all": {},
    "no noise": {"noise": NoiseSettings.none()},
    "no back-translation": {"back_translation": NEVER},
    "neither": {"noise": NoiseSettings.none(), "back_translation": NEVER},
    "random vectors": {},
}
EVERY, POINTS, PIECES = 100, 2, 1200
CIPHER = CipherSettings(nouns=60, names=8, false_friends=3, verb_last=True)


def of_pieces(cipher: Cipher, seed: int) -> BilingualEmbedding:
    """Vectors of words as vectors of pieces: each word of the toy is a piece."""
    space = cipher.vectors(Shape.tiny().dimensions, seed=seed)
    sides = (space.source_only, space.target_only)
    return BilingualEmbedding.separate(
        *(Embedding(Vocabulary(tuple(f"Ġ{word}" for word in s.words)), s.vectors) for s in sides)
    )


def learnt(cipher: Cipher, row: str, seed: int) -> list[float]:
    """BLEU each hundred iterations."""
    changes = CHANGES[row]
    steps = 2 if changes.get("back_translation") is NEVER else 4
    settings = replace(TranslationFitSettings.tiny(), **changes)
    sentences = steps * settings.batch_sentences * EVERY
    texts = cipher.source_lines, cipher.target_lines
    aligned = row != "random vectors"
    job, _ = prepare(
        texts,
        Segmentation.learn(texts, PIECES),
        ("one", "two"),
        shape=Shape.tiny(),
        settings=replace(settings, epoch_sentences=sentences),
        separate=aligned,
        seed=seed,
        embedding=of_pieces(cipher, seed) if aligned else None,
        device="cpu",
        validation=Validation.of(*zip(*cipher.test, strict=True)),
    )
    session = Session(job)
    for _ in range(POINTS):
        session.epoch()
    return [entry["bleu"] for entry in session.history]


def interval(differences: np.ndarray) -> list[float]:
    """Mean and 95 % interval over seeds."""
    n, mean = len(differences), differences.mean()
    half = t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return [round(float(x), 2) for x in (mean, mean - half, mean + half)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("an interval needs 2 seeds or more")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    found: dict[str, list[list[float]]] = {row: [] for row in CHANGES}
    for seed in range(options.seeds):
        cipher = make_cipher(CIPHER, seed)
        for row in CHANGES:
            found[row].append(learnt(cipher, row, seed))
            sys.stderr.write(f"seed {seed}, {row}: {found[row][-1]}\n")
    values = {row: np.array(rows) for row, rows in found.items()}  # (seeds, points)
    pairs = [("all", row) for row in CHANGES if row != "all"]
    pairs.append(("no back-translation", "neither"))
    facts = {
        "command": f"python studies/cipher.py --seeds {options.seeds}",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "version": __version__,
        "cipher": asdict(CIPHER),
        "seeds": options.seeds,
        "iterations": [EVERY * (point + 1) for point in range(POINTS)],
        "bleu": found,
        "differences": {
            f"{one} minus {two}": [
                interval(values[one][:, point] - values[two][:, point]) for point in range(POINTS)
            ]
            for one, two in pairs
        },
        "cpu_seconds": round(time.process_time() - begun, 1),
    }
    with atomic(options.out / "cipher.json", "w") as file:
        json.dump(facts, file, indent=1)
    for row, rows in values.items():
        sys.stdout.write(f"{row}: {rows.mean(axis=0).round(1).tolist()}\n")
    for name, rows in facts["differences"].items():
        sys.stdout.write(f"{name}: {rows}\n")


if __name__ == "__main__":
    main()
