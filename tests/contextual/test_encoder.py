"""An encoder's folder is data: nothing in it is run."""

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jointalign.errors import JointalignError
from tiny_encoder import save_tiny_bert

pytest.importorskip("transformers")

CODE = """
from pathlib import Path
Path({mark!r}).write_text("run")
from transformers import BertConfig as OwnConfig, BertModel as OwnModel
"""


@pytest.fixture
def folder(tmp_path):
    return Path(save_tiny_bert(tmp_path / "encoder", ["Ana", "sees", "Roma"]))


def test_python_files_of_a_folder_are_never_run_whatever_standard_input_says(folder, tmp_path, monkeypatch):
    from jointalign.contextual import Encoder

    mark = tmp_path / "mark"
    (folder / "own.py").write_text(CODE.format(mark=str(mark)))
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}}
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\nY\nyes\n"))
    with pytest.raises(JointalignError, match="could not be loaded"):
        Encoder.load(folder)
    assert not mark.exists()
    assert sys.stdin.read() == "y\nY\nyes\n"


def test_pickled_weights_are_refused_in_our_words(folder):
    import torch

    from jointalign.contextual import Encoder

    model = Encoder.load(folder).model
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(JointalignError, match=r"pickled weights only.*expected model\.safetensors"):
        Encoder.load(folder)


def test_threads_that_cut_words_with_one_encoder_agree(folder):
    from jointalign.contextual import Encoder

    shared, alone = (Encoder.load(folder, local_only=True) for _ in range(2))
    lines = [[f"Ana{number}", "sees", f"Roma{number % 7}"] for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.cut, lines))
    assert found == [alone.cut(line) for line in lines]
