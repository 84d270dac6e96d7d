from pathlib import Path

import pytest

from jointalign.embedding import BilingualEmbedding
from jointalign.formats.api import read, write
from small_models import ENGLISH, SPANISH, bert, byte_level, gpt2, save, side, word_piece

pytest.importorskip("transformers", reason="opens what we write")


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folders of old models, and of new tokenisers."""
    folder = Path(tmp_path_factory.mktemp("models"))
    english, spanish = byte_level(ENGLISH), byte_level(SPANISH, 200)
    pieces = word_piece(SPANISH)
    spanish.save_pretrained(folder / "spanish")
    pieces.save_pretrained(folder / "pieces")
    old = word_piece(ENGLISH, 110)
    return {
        "gpt2": save(gpt2(english), english, folder / "gpt2"),
        "untied": save(gpt2(english, tied=False), english, folder / "untied"),
        "bert": save(bert(old), old, folder / "bert"),
        "spanish": str(folder / "spanish"),
        "pieces": str(folder / "pieces"),
    }


@pytest.fixture
def space(tmp_path):
    """Two sides that fastText can open, too: as it gives them back, so that both see the same vectors."""
    sides = []
    for name, text, seed in (("source", ENGLISH, 1), ("target", SPANISH, 2)):
        write(side(text, seed), tmp_path / f"{name}.bin", format="fasttext")
        sides.append(read(tmp_path / f"{name}.bin"))
    return BilingualEmbedding.separate(*sides, "en", "es")
