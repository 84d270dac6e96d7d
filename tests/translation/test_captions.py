"""Which files of a folder are the parts of a parallel corpus."""

import pytest

from jointalign.errors import JointalignError
from jointalign.study._data import captions
from jointalign.study.base import Pair

PAIR = Pair("en", "de")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "translation" / "toy.en-de"
    place.mkdir(parents=True)
    for name in ("train", "val"):
        for code in ("en", "de"):
            (place / f"{name}.{code}").write_text(f"{name} {code}\n")
    return place


def test_the_exact_name_comes_before_others_with_its_beginning(folder, tmp_path):
    for code in ("en", "de"):
        (folder / f"test.{code}").write_text(f"test {code}\n")
        (folder / f"test.bpe.{code}").write_text(f"te@@ st {code}\n")
        (folder / f"train.bpe.{code}").write_text(f"tra@@ in {code}\n")
    found = captions(tmp_path, PAIR)
    assert found.train == (("train en",), ("train de",))
    assert found.test == (("test en",), ("test de",))


def test_other_names_are_taken_where_both_languages_have_them(folder, tmp_path):
    for name in ("test_2016.en", "test_2017.en", "test_2017.de", "test_2018.en", "test_2018.de"):
        (folder / name).write_text(f"{name}\n")
    assert captions(tmp_path, PAIR).test == (("test_2017.en",), ("test_2017.de",))


def test_what_is_missing_or_there_twice_is_told(folder, tmp_path):
    (folder / "test_2016.en").write_text("one\n")
    (folder / "test_2017.de").write_text("eins\n")
    with pytest.raises(JointalignError, match=r"expected test\.en"):
        captions(tmp_path, PAIR)
    (folder / "val.de.gz").write_bytes(b"")
    with pytest.raises(JointalignError, match=r"found val.de and val.de.gz"):
        captions(tmp_path, PAIR)
