import subprocess
import sys

import numpy as np
import pytest

from jointalign.embedding import Embedding
from jointalign.formats import api
from jointalign.vocabulary import Vocabulary


def test_spacy_makes_its_vectors_of_our_text(tmp_path):
    spacy = pytest.importorskip("spacy", reason="reads what we write")
    vectors = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    api.write(Embedding(Vocabulary(("gato", "niño", "l'agua")), vectors), tmp_path / "es.vec.gz")
    command = [sys.executable, "-m", "spacy", "init", "vectors", "es"]
    subprocess.run([*command, tmp_path / "es.vec.gz", tmp_path / "es"], check=True, capture_output=True)
    vocabulary = spacy.load(tmp_path / "es").vocab
    for word, vector in zip(("gato", "niño", "l'agua"), vectors, strict=True):
        np.testing.assert_allclose(vocabulary[word].vector, vector, atol=1e-6)
    assert not vocabulary["perro"].has_vector
