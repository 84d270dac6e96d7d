"""Two processes of `torchrun` learn what one does."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")
pytest.importorskip("sacrebleu")
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.storage.tensors import STATE, read_tensors  # noqa: E402
from jointalign.translation._loop import Group, joined  # noqa: E402
from jointalign.translation._text import Sentences  # noqa: E402
from jointalign.translation.api import CHECKPOINT  # noqa: E402
from together import FIRST, train  # noqa: E402

SCRIPT = Path(__file__).parents[1] / "together.py"


def torchrun(*arguments):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, "--nproc-per-node", "2", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(path):
    tensors, facts = read_tensors(path, STATE)
    return {name: np.array(array) for name, array in tensors.items()}, facts


def test_two_processes_learn_what_one_does_and_go_on(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    train(one, 1)
    torchrun(SCRIPT, two)
    digests = [(two / f"digest.{rank}").read_text() for rank in (0, 1)]
    assert digests[0] == digests[1], "both processes have the same weights"
    (ours, facts), (theirs, others) = state(one / CHECKPOINT), state(two / FIRST)
    assert [json.loads(known["state"])["iteration"] for known in (facts, others)] == [2, 2]
    moments = [name for name in ours if ".exp_avg" in name]
    assert len(moments) > 50
    for name in moments:
        # Adam's moments are means of gradients and of their squares: sums must be complete.
        atol = 2e-3 * np.abs(ours[name]).max() + 1e-7
        np.testing.assert_allclose(theirs[name], ours[name], rtol=2e-2, atol=atol, err_msg=name)
    train(one, 3)
    first, second = (json.loads((folder / "history.json").read_text()) for folder in (one, two))
    assert len(first) == len(second) == 3
    for ours, theirs in zip(first, second, strict=True):
        assert ours["sentences"] == theirs["sentences"] and ours["tokens"] == theirs["tokens"]
        assert theirs["losses"] == pytest.approx(ours["losses"], rel=0.01)


def test_parts_are_all_of_a_batch():
    text = Sentences.of([np.array([n] * (n + 1)) for n in range(7)])
    parts = [Group(rank, 3).part(text) for rank in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert sorted(row[0] for part in parts for row in part) == list(range(7))
    assert Group().part(text) is text


def test_more_processes_than_sentences_a_batch(tmp_path):
    with pytest.raises(JointalignError, match="batches of 16 sentences or more"):
        train(None, 1, Group(0, 16))


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "99")
    with pytest.raises(JointalignError, match="take --device cpu"), joined("cuda"):
        pass


def test_started_plainly_there_is_one(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with joined("cpu") as group:
        assert group == Group(0, 1, "cpu") and group.told([1]) == [1]
        assert group.led(lambda: 3) == 3
