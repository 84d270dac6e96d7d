"""`jointalign mt` and `jointalign study figure2` as their users meet them."""

import json
import shutil
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("tokenizers")
pytest.importorskip("sacrebleu")
from jointalign.cli.app import run  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.study import FigureSettings, Pair, figure_two  # noqa: E402
from jointalign.translation.base import Shape, TranslationFitSettings  # noqa: E402
from jointalign.translation.cipher import CipherSettings, make_cipher  # noqa: E402
from jointalign.translation.vectors import VectorSettings, piece_trainer, starts_named  # noqa: E402


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    cipher = make_cipher(CipherSettings(sentences=300, held_out=8))
    cipher.write(folder)
    (folder / "a.txt").write_text("\n".join(cipher.source_lines))
    (folder / "b.txt").write_text("\n".join(cipher.target_lines))
    return folder


def options(data, out):
    texts = ["--source", str(data / "a.txt"), "--target", str(data / "b.txt")]
    codes = ["--source-language", "one", "--target-language", "two"]
    sizes = ["--size", "tiny", "--pieces", "600", "--epochs", "1", "--epoch-sentences", "256"]
    lexicon = ["--lexicon", str(data / "lexicons/one-two.0-5000.txt")]
    return [*texts, *codes, *sizes, *lexicon, "--out", str(out), "--threads", "1"]


def test_train_translate_evaluate(data, tmp_path, capsys):
    out = tmp_path / "mt"
    assert run(["mt", "train", *options(data, out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["finished"] and len(facts["epochs"]) == 1
    assert facts["read"]["one"]["sentences"] == 300
    model = ["--model", str(out / "model.safetensors"), "--direction", "two-one"]
    folder = data / "translation/cipher.one-two"
    test = ["--source", str(folder / "test.two"), "--reference", str(folder / "test.one")]
    assert run(["mt", "evaluate", *model, *test, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["model"]["sentences"] == 8 and facts["model"]["direction"] == "two-one"
    assert list(facts["baselines"]) == ["copied", "word by word, joint-align"]
    words = str(folder / "test.two")
    assert run(["mt", "translate", *model, "--input", words, "--beam", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["translations"]) == 8
    # Started again it has nothing left to do.
    assert run(["mt", "train", *options(data, out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs"][0]["iteration"] > 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["--source", "missing.txt"], "missing.txt"),
        (["--device", "abacus"], "abacus"),
        (["--validation-source", "/dev/null", "--validation-target", "/dev/null"], "/dev/null"),
        (["--method", "magic"], "procrustes"),
    ],
)
def test_bad_input_is_one_clear_line(data, tmp_path, capsys, changes, expected):
    assert run(["mt", "train", *options(data, tmp_path / "out"), *changes]) == 2
    captured = capsys.readouterr()
    (line,) = [x for x in captured.err.splitlines() if x.startswith("error: ")]
    assert expected in line and captured.out == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["--init", "magic"], "joint-align"),
        (["--init", "supervised"], "joint-align"),
        (["--validation-source", "/dev/null"], "--validation-target"),
        (["--parallel"], "--validation-source"),
        (["--source-text", "/dev/null"], "--target-text"),
    ],
)
def test_options_that_do_not_fit(data, tmp_path, capsys, changes, expected):
    assert run(["mt", "train", *options(data, tmp_path / "out"), *changes]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_changed_is_made_again_and_another_training_is_not_thrown_away(data, tmp_path, capsys):
    large = [tmp_path / "large.a", tmp_path / "large.b"]
    for path, name in zip(large, ("a.txt", "b.txt"), strict=True):
        path.write_text((data / name).read_text())
    more = ["--source-text", str(large[0]), "--target-text", str(large[1]), "--init", "joint"]
    out = tmp_path / "mt"
    assert run(["mt", "train", *options(data, out), *more]) == 0
    assert "of one piece each" not in capsys.readouterr().err, "joint reads no dictionary"
    model = (out / "model.safetensors").read_bytes()
    large[0].write_text((data / "a.txt").read_text() * 2)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert before["model.safetensors"] == model
    # Other text makes other vectors, and so another training, which has no place in this folder.
    for change, name in (
        ([], "(vectors.larger texts: "),
        (["--seed", "1"], "seed: 0, now 1)"),
        (["--pieces", "500"], "vectors.pieces: "),
    ):
        assert run(["mt", "train", *options(data, out), *more, *change]) == 2
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and name in errors[0] and "--fresh" in errors[0]
    assert before == {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert run(["mt", "train", *options(data, out), *more, "--seed", "1", "--fresh"]) == 0
    assert "(seed: 0, now 1), now replaced" in capsys.readouterr().err
    fresh = (out / "model.safetensors").read_bytes()
    assert fresh != model
    assert run(["mt", "train", *options(data, tmp_path / "new"), *more, "--seed", "1"]) == 0
    assert (tmp_path / "new" / "model.safetensors").read_bytes() == fresh


def test_an_input_in_the_folder_of_results_is_spared(data, tmp_path, capsys):
    out = tmp_path / "mt"
    out.mkdir()
    (out / "text.one.txt").write_text((data / "a.txt").read_text())
    inputs = ["--source", str(out / "text.one.txt")]
    assert run(["mt", "train", *options(data, out), *inputs]) == 2
    assert "text.one.txt: this is an input" in capsys.readouterr().err
    assert (out / "text.one.txt").read_text() == (data / "a.txt").read_text()


def test_one_language_is_not_two(data, tmp_path, capsys):
    same = ["--target-language", "one"]
    assert run(["mt", "train", *options(data, tmp_path / "mt"), *same]) == 2
    assert "two languages" in capsys.readouterr().err


def test_a_file_that_is_no_model(data, tmp_path, capsys):
    (tmp_path / "x.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    arguments = ["--model", str(tmp_path / "x.safetensors"), "--direction", "a-b"]
    assert run(["mt", "translate", *arguments, "--input", str(data / "a.txt")]) == 2
    assert "translation model" in capsys.readouterr().err


def test_figure_goes_on_where_it_was_and_draws_all_rows(data, tmp_path):
    pytest.importorskip("matplotlib")
    rows = starts_named("align,joint,joint-align,random,supervised")
    settings = FigureSettings(
        data,
        Pair("one", "two"),
        rows,
        Shape(16, 32, 2, 1, 1, 1, 1),
        TranslationFitSettings.tiny(128),
        VectorSettings(piece_trainer(16, epochs=1), pieces=600),
        epochs=2,
        validation=4,
    )
    first = figure_two(settings, tmp_path, device="cpu", threads=1, max_minutes=1e-9)
    assert all(not curve["epochs"] for curve in first.facts["curves"].values())
    told = []
    result = figure_two(settings, tmp_path, device="cpu", threads=1, announce=told.append)
    assert not any(name.startswith("vectors") for name in told), "trained before"
    facts = json.loads((tmp_path / "figure2.json").read_text())
    assert [len(curve["epochs"]) for curve in facts["curves"].values()] == [2] * 5
    assert facts["curves"]["supervised"]["read"]["one"]["sentences"] == 600
    assert (tmp_path / "figure2.png").read_bytes()[:4] == b"\x89PNG"
    assert "Copied source" in result.markdown and "Word by word, Align" in result.markdown
    again = figure_two(settings, tmp_path, device="cpu", threads=1)
    for start, curve in result.facts["curves"].items():
        assert again.facts["curves"][start]["epochs"] == curve["epochs"]


def test_rows_that_need_no_dictionary_ask_for_none(data, tmp_path):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "data"
    shutil.copytree(data / "translation", folder / "translation")
    (folder / "mono").mkdir()  # there are texts of other pairs, and none is wanted
    settings = FigureSettings(
        folder,
        Pair("one", "two"),
        starts_named("joint,random"),
        Shape(16, 32, 2, 1, 1, 1, 1),
        TranslationFitSettings.tiny(128),
        VectorSettings(piece_trainer(16, epochs=1), pieces=600, tokens=0),
        epochs=1,
        validation=4,
    )
    figure_two(settings, tmp_path / "out", device="cpu", threads=1, max_minutes=1e-9)
    with pytest.raises(JointalignError, match="expected one-two.0-5000.txt"):
        figure_two(replace(settings, starts=starts_named("align")), tmp_path / "other")


def test_the_toy_takes_rows(tmp_path):
    assert FigureSettings.toy(tmp_path, 0, starts_named("supervised")).starts == ("supervised",)
    assert len(FigureSettings.toy(tmp_path, 0).starts) == 4
