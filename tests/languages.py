"""Two tiny languages that say the same things in other words, for tests of whole commands."""

import shutil
from pathlib import Path

import numpy as np

LETTERS = {"en": "bcdfg", "es": "klmnp"}
VOWELS = "aeiou"
CONCEPTS = 150


def word(language, concept):
    """Spelling of a concept; every tenth is spelt alike in both languages."""
    letters = "rstvz" if concept % 10 == 0 else LETTERS[language]
    digits = [concept // 25 % 25, concept % 25]
    return "".join(letters[d // 5] + VOWELS[d % 5] for d in digits) + "nr"[concept % 2]


def text(language, seed, lines=4000, size=CONCEPTS):
    """Lines of ten words: a walk on a graph of concepts that is the same for both languages."""
    followers = np.random.default_rng(0).integers(0, size, (size, 4))
    random = np.random.default_rng(seed)
    concepts = np.empty((lines, 10), int)
    concepts[:, 0] = random.integers(0, size, lines)
    for place in range(1, 10):
        liked = followers[concepts[:, place - 1], random.integers(0, 4, lines)]
        anything = random.integers(0, size, lines)
        concepts[:, place] = np.where(random.random(lines) < 0.9, liked, anything)
    return "".join(" ".join(word(language, c) for c in line) + "\n" for line in concepts.tolist())


def write_pair(folder: Path, size: int = CONCEPTS) -> dict[str, str]:
    """Texts and dictionaries; returns the options of `jointalign run`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "en.txt").write_text(text("en", 1, size=size))
    (folder / "es.txt").write_text(text("es", 2, size=size))
    pairs = [f"{word('en', c)} {word('es', c)}\n" for c in range(size)]
    (folder / "train.txt").write_text("".join(pairs[c] for c in range(size) if c % 3))
    (folder / "test.txt").write_text("".join(pairs[::3]))
    return {
        "--source": str(folder / "en.txt"),
        "--target": str(folder / "es.txt"),
        "--source-language": "en",
        "--target-language": "es",
        "--lexicon": str(folder / "train.txt"),
        "--test": str(folder / "test.txt"),
        "--dimensions": "20",
        "--epochs": "5",
        "--window": "2",
        "--subsampling": "0",
        "--threads": "1",
    }


def write_study_data(folder: Path, size: int = CONCEPTS) -> Path:
    """The same where a study looks for its data."""
    options = write_pair(folder, size)
    (folder / "mono").mkdir()
    (folder / "lexicons").mkdir()
    for side, language in (("--source", "en"), ("--target", "es")):
        shutil.copy(options[side], folder / "mono" / f"toy.{language}.txt")
    shutil.copy(options["--lexicon"], folder / "lexicons" / "en-es.0-5000.txt")
    shutil.copy(options["--test"], folder / "lexicons" / "en-es.5000-6500.txt")
    return folder
