import numpy as np
import pytest

from jointalign.alignment.base import Mapping
from jointalign.alignment.storage import read_mapping, write_mapping
from jointalign.errors import FormatError, JointalignError


def test_there_and_back(tmp_path):
    random = np.random.default_rng(0)
    source, target = random.normal(size=(2, 4, 3)).astype(np.float32)
    write_mapping(Mapping(source, target, {"loss": (2.0, 1.5)}), tmp_path / "m.safetensors")
    again = read_mapping(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.source, source)
    np.testing.assert_array_equal(again.target, target)
    assert again.history == {"loss": (2.0, 1.5)}


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x02\0\0\0\0\0\0\0{}"])
def test_rubbish(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"m\.safetensors"):
        read_mapping(path)


def test_missing(tmp_path):
    with pytest.raises(JointalignError, match="no such file"):
        read_mapping(tmp_path / "none.safetensors")
