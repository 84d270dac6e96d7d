"""Optional packages and devices: what is missing, broken or not there is told apart."""

import sys

import numpy as np
import pytest

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.ner._words import StaticInputs, WordTable
from jointalign.numerics.devices import package_of


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that fails when it is imported."""

    def broken(content):
        (tmp_path / "broken_package.py").write_text(content)
        monkeypatch.syspath_prepend(tmp_path)

    yield broken
    sys.modules.pop("broken_package", None)


@pytest.mark.parametrize(
    "content",
    [
        "raise OSError('libcudart.so.12: cannot open shared object file')",
        "import a_part_that_is_missing",
        "raise ImportError('undefined symbol')",
    ],
)
def test_a_package_that_cannot_be_loaded_is_not_called_missing(package, content):
    package(content)
    with pytest.raises(JointalignError, match="is installed, but cannot be loaded") as error:
        package_of("broken_package", "torch")
    assert not isinstance(error.value, MissingExtraError)


def test_a_package_that_is_missing():
    with pytest.raises(MissingExtraError, match=r"pip install 'jointalign\[torch\]'"):
        package_of("no_such_package", "torch")


def test_a_tagger_is_put_on_a_device_that_is_there():
    torch = pytest.importorskip("torch")
    table = WordTable(np.zeros((1, 2), np.float32), {"en": {}})
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert StaticInputs(table, device="auto").device == expected
    with pytest.raises(JointalignError, match="there is no device 'cuda:77' here"):
        StaticInputs(table, device="cuda:77")
