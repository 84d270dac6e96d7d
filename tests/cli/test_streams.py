"""Standard streams that are closed, narrow or of no more interest; places that cannot be written."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from jointalign.cli.app import run
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.formats.api import write
from jointalign.vocabulary import Vocabulary

COMMAND = f"{sys.executable} -m jointalign"


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    path = tmp_path_factory.mktemp("space") / "a.safetensors"
    sides = [
        Embedding(Vocabulary(words), np.eye(3, dtype=np.float32))
        for words in (("year", "house", "sea"), ("año", "casa", "mar"))
    ]
    write(BilingualEmbedding.separate(*sides, "en", "es"), path)
    return path


def shell(line, **environment):
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert "bug" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "2>&-"])
def test_closed_streams_lead_nowhere(space, closed):
    assert shell(f"{COMMAND} translate --embedding {space} year {closed}").returncode == 0
    assert shell(f"{COMMAND} --version {closed}").returncode == 0


def test_no_file_takes_the_place_of_a_closed_stream(space, tmp_path):
    table = tmp_path / "a.tsv"
    assert shell(f"{COMMAND} translate --embedding {space} --count 1 --export {table} >&-").returncode == 0
    lines = table.read_text().splitlines()
    assert [line.split("\t")[:2] for line in lines[1:]] == [
        ["year", "año"],
        ["house", "casa"],
        ["sea", "mar"],
    ]


def test_letters_that_the_output_lacks_are_escaped(space):
    line = f"{COMMAND} translate --embedding {space} --count 1 year"
    assert r"a\u00f1o" in shell(line, PYTHONIOENCODING="ascii").stdout
    facts = json.loads(shell(f"{line} --json", PYTHONIOENCODING="ascii").stdout)
    assert "año" in json.dumps(facts, ensure_ascii=False)
    assert facts == json.loads(shell(f"{line} --json").stdout)
    assert "año" in shell(line, LC_ALL="C", PYTHONIOENCODING="").stdout


def test_a_reader_that_has_seen_enough_is_no_failure(space):
    words = " ".join(["year"] * 3000)
    done = shell(f"{COMMAND} translate --embedding {space} {words} | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 0
    assert "año" in done.stdout


def test_a_full_disk_under_the_output_is_told(space):
    done = shell(f"{COMMAND} translate --embedding {space} year > /dev/full")
    assert done.returncode == 2
    assert "no space left" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "align procrustes --embedding A --lexicon A --out P",
        "align-features --encoder A --input A --out P",
        "features --encoder A --input A --out P",
        "train --input A --out P/a.vec",
        "run --source A --target A --out P",
        "convert --input A --out P/a.vec",
        "translate --embedding A --export P/a.tsv",
    ],
)
def test_an_impossible_place_is_found_before_any_work(space, tmp_path, capsys, command):
    text = tmp_path / "text.txt"
    text.write_text("no folder\n")
    line = command.replace("A", str(space)).replace("P", f"{text}/deep/in")
    assert run(line.split()) == 2
    assert "a part of this path is a file" in capsys.readouterr().err


def test_a_place_that_is_looked_at_is_left_as_it_was(tmp_path, capsys):
    assert (
        run(["align", "procrustes", "--embedding", "none", "--lexicon", "none", "--out", f"{tmp_path}/new"])
        == 2
    )
    assert list(tmp_path.iterdir()) == []


def test_two_alignments_into_one_folder(space, tmp_path, capsys):
    from jointalign.storage.stages import claimed

    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("year año\nhouse casa\nsea mar\n")
    line = ["align", "procrustes", "--embedding", str(space), "--lexicon", str(lexicon)]
    with claimed(tmp_path / "out"):
        assert run([*line, "--out", str(tmp_path / "out")]) == 2
    assert "another process is at work on this" in capsys.readouterr().err
    assert run([*line, "--out", str(tmp_path / "out")]) == 0
