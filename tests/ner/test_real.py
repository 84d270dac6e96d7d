"""Real CoNLL data: sizes as published, and scores as they should be."""

import os
from pathlib import Path

import pytest

from jointalign.ner import conll
from jointalign.ner.base import Scheme

pytestmark = pytest.mark.data

# Sentences and words without marks of documents: Tjong Kim Sang 2002, Tjong Kim Sang and De Meulder
# 2003; English has fewer sentences than published because theirs counted the marks.
SIZES = {
    ("en", "train"): (14_041, 203_621),
    ("en", "valid"): (3_250, 51_362),
    ("en", "test"): (3_453, 46_435),
    ("es", "train"): (8_323, 264_715),
    ("es", "valid"): (1_915, 52_923),
    ("es", "test"): (1_517, 51_533),
    ("de", "train"): (12_152, 206_931),
    ("de", "valid"): (2_867, 51_444),
    ("de", "test"): (3_005, 51_943),
}


@pytest.fixture(scope="module")
def folder():
    if "JOINTALIGN_DATA" not in os.environ:
        pytest.skip("JOINTALIGN_DATA does not name a folder with real data")
    return Path(os.environ["JOINTALIGN_DATA"]) / "ner"


@pytest.mark.parametrize(("language", "part"), SIZES, ids="-".join)
def test_the_files_are_as_long_as_published(folder, language, part):
    path = folder / language / f"{part}.txt.bz2"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} of '{language}'")
    found = conll.read(path)
    assert (len(found.sentences), found.tokens) == SIZES[language, part]
    assert found.scheme is Scheme.BIO2  # a few stray I- in the Spanish test part and all
    types = {tag[2:] for s in found.sentences for tag in s.tags or () if tag != "O"}
    assert types == {"PER", "LOC", "ORG", "MISC"}
