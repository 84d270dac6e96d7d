"""Whatever is handed to a public function by mistake ends in our error, which names the argument."""

import inspect

import numpy as np
import pytest

import jointalign as ja
from jointalign.errors import JointalignError

ARRAYS = {"neighbours", "from_gensim", "to_gensim", "to_sklearn"}  # of other libraries and their types
LEFT = ARRAYS | {"longest_line"}
FUNCTIONS = [name for name in ja.__all__ if inspect.isfunction(getattr(ja, name)) and name not in LEFT]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("wrong", [None, 3, object(), b"x", [None]], ids=lambda wrong: type(wrong).__name__)
def test_no_function_takes_anything_for_its_first_argument(name, wrong):
    function = getattr(ja, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with pytest.raises(JointalignError, match=f"{name}: {needed[0].name} must be"):
        function(**{parameter.name: wrong for parameter in needed})


@pytest.mark.parametrize("wrong", [None, 1.5, "4", [4]])
def test_a_longest_line_is_a_whole_number(wrong):
    with pytest.raises(JointalignError, match="longest_line: size must be a whole number"):
        ja.longest_line(wrong)


def test_numbers_too_great_for_float32_are_no_vectors():
    words = ja.Vocabulary(("a", "b"))
    assert ja.Embedding(words, np.eye(2, dtype=">f4")).vectors.tolist() == [[1, 0], [0, 1]]
    given = np.eye(2, dtype=np.float32)
    assert np.shares_memory(ja.Embedding(words, given).vectors, given)
    with pytest.raises(JointalignError, match="NaN or infinity"):
        ja.Embedding(words, np.full((2, 2), 1e300))


def test_a_lexicon_of_a_table_is_its_first_two_columns():
    pairs = (("house", "casa"), ("house", "hogar"), ("bar", "bar"))
    assert ja.Lexicon(np.array(pairs)).pairs == pairs
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([(*pair, 0.5) for pair in pairs], columns=["source", "target", "score"])
    assert ja.Lexicon(frame).pairs == pairs
    frame.loc[1, "target"] = float("nan")
    with pytest.raises(JointalignError, match="number 2 is"):
        ja.Lexicon(frame)
