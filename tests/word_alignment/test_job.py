"""Text in chunks: the same as its parts with the model of its sample, and the same after a kill."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jointalign.cli.app import run
from jointalign.word_alignment import Computation, ParallelText, align_with, alignment_error_rate, read_gold
from jointalign.word_alignment import job as jobs
from jointalign.word_alignment.reading import read_links, read_parallel
from jointalign.word_alignment.storage import read_model

NAMES = ("links", "words", "marginals", "n-best", "table.gz", "reverse.gz", "dictionary.tsv")


def write_text_and_gold(folder, sentences):
    """Every word translates to the one of its number; two words stand elsewhere; some sides are empty."""
    rng = np.random.default_rng(1)
    lines, gold = [], []
    for k in range(sentences):
        source = rng.choice(80, size=rng.integers(4, 10), replace=False)
        order = np.arange(len(source))
        at = rng.integers(len(source) - 1)
        order[[at, at + 1]] = order[[at + 1, at]]
        target = [] if k % 97 == 5 else [f"b{w}" for w in source[order]]
        lines.append(f"{' '.join(f'a{w}' for w in source)} ||| {' '.join(target)}\n")
        gold.append("" if not target else " ".join(f"{i + 1}-{j + 1}" for j, i in enumerate(order)))
    (folder / "text").write_text("".join(lines))
    (folder / "gold").write_text("".join(f"{line}\n" for line in gold[-50:]))


def arguments(folder, out, *more):
    out.mkdir(exist_ok=True)
    paths = [str(out / name) for name in NAMES]
    flags = ("--out", "--words", "--marginals", "--n-best", "--table", "--reverse-table", "--dictionary")
    given = [part for pair in zip(flags, paths, strict=True) for part in pair]
    settings = ["--tokenized", "--sweeps", "4", "--seed", "2", "--memory", "1", "--json"]
    return ["align-text", "--input", str(folder / "text"), *given, *settings, *more]


def contents(out):
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    write_text_and_gold(folder, 3000)
    kept = folder / "model"
    assert run(arguments(folder, folder / "out", "--save-model", str(kept))) == 0
    return folder, contents(folder / "out")


def test_each_chunk_is_linked_with_what_a_sample_has_taught(done, capsys):
    folder, files = done
    assert sorted(files) == sorted(NAMES)
    text, saved = read_parallel(folder / "text", tokenized=True), read_model(folder / "model")
    # Bounds as they must be: as many pairs as have no more cells than the memory has room for.
    sizes = [len(text.source[k]) * len(text.target[k]) for k in range(len(text))]
    bounds, cells = [0], 0
    for k, size in enumerate(sizes):
        if cells + size > 2**20 // jobs.BYTES_A_CELL:
            bounds.append(k)
            cells = 0
        cells += size
    bounds.append(len(sizes))
    assert len(bounds) >= 4
    assert 0 < saved.model.counts.sentences < len(text) / 2
    lines = []
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        chunk = ParallelText.of((text.source[k], text.target[k]) for k in range(first, last))
        lines += align_with(saved.model, chunk, computation=Computation(2)).links.lines()
    assert files["links"].decode().splitlines() == lines
    numbers = [line.split(" ||| ")[0] for line in files["n-best"].decode().splitlines()]
    assert list(dict.fromkeys(numbers)) == [str(k) for k in range(len(text))]
    assert len(files["marginals"].decode().splitlines()) == len(text)
    gold, links = read_gold(folder / "gold"), read_links(folder / "out/links")
    assert alignment_error_rate(list(links)[-50:], gold).error_rate < 0.02
    assert len(files["dictionary.tsv"].splitlines()) == 81


def test_what_was_killed_goes_on_and_gives_the_same_bytes(done):
    folder, files = done
    out = folder / "killed"
    command = [sys.executable, "-m", "jointalign", *arguments(folder, out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = out / "links.parts/stages/chunk0.json"
    until = time.monotonic() + 300
    while not first.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    made = first.read_bytes()
    assert not (out / "links").exists()
    kept = (out / "links.parts/0.links").stat().st_mtime_ns
    assert run([*arguments(folder, out), "--chains", "2"]) == 2  # other settings are refused
    assert first.read_bytes() == made
    assert (out / "links.parts/0.links").stat().st_mtime_ns == kept
    assert run(arguments(folder, out)) == 0
    assert contents(out) == files


def test_other_settings_begin_anew_where_that_is_said(tmp_path, monkeypatch, capsys):
    write_text_and_gold(tmp_path, 1600)
    out = tmp_path / "out"

    def broken(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs._Chunks, "_join", broken)
        assert run(arguments(tmp_path, out)) != 0
    assert Path(out, "links.parts").is_dir()
    assert run(arguments(tmp_path, out, "--seed", "3")) == 2
    capsys.readouterr()
    assert run(arguments(tmp_path, out, "--seed", "3", "--fresh")) == 0
    assert json.loads(capsys.readouterr().out)["chunks"] == 3
    assert not Path(out, "links.parts").exists()


def test_links_by_hand_that_do_not_fit_are_refused_before_anything_is_learnt(tmp_path, capsys):
    write_text_and_gold(tmp_path, 1600)
    (tmp_path / "gold").write_text("1-99\n")
    out = tmp_path / "out"
    assert run(arguments(tmp_path, out, "--gold", str(tmp_path / "gold"))) == 2
    assert "beyond the end of its sentence" in capsys.readouterr().err
    assert not (out / "links.parts/model.safetensors").exists()


def test_text_that_is_one_chunk_is_linked_at_once(tmp_path, capsys):
    write_text_and_gold(tmp_path, 300)
    assert run(arguments(tmp_path, tmp_path / "one")) == 0
    plain = arguments(tmp_path, tmp_path / "two")
    at = plain.index("--memory")
    assert run([*plain[:at], *plain[at + 2 :]]) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert sorted(contents(tmp_path / "one")) == sorted(NAMES)


def test_a_dictionary_that_counts_as_seen_decides_where_the_text_does_not(tmp_path, capsys):
    (tmp_path / "text").write_text("a b ||| x y\n" * 3)
    (tmp_path / "dictionary").write_text("a y\nb x\n")
    given = ["align-text", "--input", str(tmp_path / "text"), "--tokenized", "--out", str(tmp_path / "links")]
    assert run(given) == 0
    assert (tmp_path / "links").read_text() == "0-0 1-1\n" * 3
    known = ["--prior", str(tmp_path / "dictionary"), "--prior-weight", "50"]
    assert run([*given, *known]) == 0
    assert (tmp_path / "links").read_text() == "0-1 1-0\n" * 3
    assert run([*given, *known, "--method", "diagonal"]) == 2
    assert "--prior is for --method bayes" in capsys.readouterr().err
