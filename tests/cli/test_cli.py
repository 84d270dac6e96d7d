"""The command line as its users meet it: what it prints, and what it does with rubbish."""

import csv
import dataclasses
import errno
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

import jointalign
from jointalign import BilingualEmbedding, Embedding, SubwordTable, Vocabulary, read, read_bilingual, write
from jointalign.alignment.api import METHODS, method_named
from jointalign.cli._languages import check_code, languages
from jointalign.cli.app import COMMANDS, RESUMED, run
from jointalign.formats.fasttext import MAGIC
from languages import write_pair


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    options = write_pair(folder)
    words = {"en": ("cat", "dog", "house"), "es": ("gato", "perro", "casa")}
    for language, spelt in words.items():
        vectors = np.eye(3, dtype=np.float32)
        write(Embedding(Vocabulary(spelt), vectors), folder / f"{language}.vec")
    (folder / "pairs.txt").write_text("cat gato\ndog perro\nhouse casa\n")
    return folder, options


def vectors(folder, **changes):
    given = {"--source-vectors": folder / "en.vec", "--target-vectors": folder / "es.vec"}
    return flat(given | {"--lexicon": folder / "pairs.txt"} | changes)


def flat(options):
    return [str(part) for pair in options.items() for part in pair]


def fails(capsys, arguments, *expected):
    """One clear line and exit code 2, nothing on standard output."""
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, captured.err
    assert "Traceback" not in captured.err
    assert "bug" not in captured.err
    for text in expected:
        assert text in errors[0]


def test_evaluate_prints_one_object(files, capsys):
    folder, _ = files
    assert run(["evaluate", "bli", *vectors(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["p_at_1"] == 100
    assert facts["n"] == 3


@pytest.mark.parametrize("retrieval", ["csls", "nn", "isf"])
@pytest.mark.parametrize("oov", ["muse", "paper", "released", "strict"])
def test_evaluate_takes_every_rule(files, capsys, retrieval, oov):
    folder, _ = files
    more = ["--retrieval", retrieval, "--oov", oov, "--max-vocabulary", "2", "--json"]
    assert run(["evaluate", "bli", *vectors(folder), *more]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n"] == (2 if oov == "muse" else 3)
    assert f"oov:{oov}" in facts["signature"]


def test_align_writes_vectors_and_mapping(files, tmp_path, capsys):
    folder, _ = files
    turned = Embedding(
        Vocabulary(("cat", "dog", "house")), np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    )
    write(turned, tmp_path / "turned.vec")
    options = vectors(folder, **{"--source-vectors": tmp_path / "turned.vec"})
    arguments = ["align", "procrustes", *options, "--out", str(tmp_path / "out")]
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pairs"]["used"] == 3
    np.testing.assert_allclose(
        read(tmp_path / "out/source.vec").vectors, read(tmp_path / "out/target.vec").vectors, atol=1e-5
    )
    aligned = ["--embedding", str(tmp_path / "out/aligned.safetensors")]
    lexicon = ["--lexicon", str(folder / "pairs.txt"), "--json"]
    assert run(["evaluate", "bli", *aligned, *lexicon]) == 0
    assert json.loads(capsys.readouterr().out)["p_at_1"] == 100


def test_translate_answers_words_lists_and_exports(files, tmp_path, capsys, monkeypatch):
    folder, _ = files
    space = vectors(folder)[:4]
    assert run(["translate", *space, "dog", "nothing", "--count", "1", "--json"]) == 0
    dog, nothing = json.loads(capsys.readouterr().out)["words"]
    assert dog["translations"][0]["target"] == "perro"
    assert not nothing["known"]
    asked = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfHOUSE\n\ncat\n"))
    monkeypatch.setattr(sys, "stdin", asked)
    assert run(["translate", *space, "--count", "1", "--mutual"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[:2] for line in lines] == [["house", "casa"], ["cat", "gato"]]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("niño\n".encode("latin-1"))))
    fails(capsys, ["translate", *space, "--json"], "expected UTF-8")
    out = tmp_path / "dictionary.tsv"
    assert run(["translate", *space, "--export", str(out), "--count", "1", "--reverse"]) == 0
    rows = [line.split("\t")[:2] for line in out.read_text().splitlines()]
    assert rows == [["source", "target"], ["gato", "cat"], ["perro", "dog"], ["casa", "house"]]


def test_no_word_steers_the_terminal_or_the_table(tmp_path, capsys):
    words = ("=1+1", "\x1b[31mred", "two\tcells", "\x9b0m")
    sides = [Embedding(Vocabulary(words), np.eye(4, dtype=np.float32)) for _ in range(2)]
    write(BilingualEmbedding.separate(*sides, "en", "es"), tmp_path / "space.safetensors")
    space = ["--embedding", str(tmp_path / "space.safetensors")]
    for arguments in ([], ["--json"]):
        assert run(["translate", *space, *words[:3], "unknown\x1b]0;x\x07", "--keep-case", *arguments]) == 0
        shown = capsys.readouterr()
        assert all(mark not in shown.out + shown.err for mark in "\x1b\x9b\x07")
    for name in ("x.tsv", "x.csv", "x.json", "x.tmx"):
        assert run(["translate", *space, "--export", str(tmp_path / name), "--count", "1", "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["entries"] == 4
        assert facts["guarded"] == (2 if name == "x.csv" else 0)
        assert facts["escaped"] == {"x.tsv": 6, "x.csv": 4, "x.json": 0, "x.tmx": 6}[name]
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert sorted(row[0] for row in rows[1:]) == sorted(["'=1+1", "\\x1b[31mred", "two\tcells", "\\x9b0m"])
    fails(capsys, ["translate", *space, "--export", str(tmp_path / "x.xlsx")], "known are .tsv, .csv")
    unnamed = ["--source-language", "und", "--target-language", "und"]
    write(BilingualEmbedding.separate(*sides), tmp_path / "space.safetensors")
    fails(capsys, ["translate", *space, *unnamed, "--export", str(tmp_path / "y.tmx")], "TMX names two")
    assert not (tmp_path / "x.xlsx").exists() and not (tmp_path / "y.tmx").exists()


def test_convert_there_and_back(files, tmp_path):
    folder, _ = files
    for name in ("a.bin", "b.safetensors", "c.vec.gz"):
        assert run(["convert", "--input", str(folder / "en.vec"), "--out", str(tmp_path / name)]) == 0
        assert read(tmp_path / name).words == ("cat", "dog", "house")


def test_fasttext_models_go_through_every_command_that_takes_vectors(files, tmp_path, capsys):
    folder, _ = files
    grams = SubwordTable(np.arange(64, dtype=np.uint32), np.eye(64, 3, dtype=np.float32), 2, 4, 64)
    for language in ("en", "es"):
        known = read(folder / f"{language}.vec")
        write(Embedding(known.vocabulary, known.vectors, grams), tmp_path / f"{language}.safetensors")
        out = tmp_path / f"{language}.bin"
        arguments = ["convert", "--input", str(tmp_path / f"{language}.safetensors"), "--out", str(out)]
        assert run([*arguments, "--to", "fasttext"]) == 0
        assert out.read_bytes().startswith(MAGIC)
        assert read(out).words == known.words
    models = {"--source-vectors": tmp_path / "en.bin", "--target-vectors": tmp_path / "es.bin"}
    options = vectors(folder, **models)
    capsys.readouterr()
    assert run(["evaluate", "bli", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["p_at_1"] == 100
    assert run(["translate", *options[:4], "cattle", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"][0]["from_subwords"]
    aligned = ["align", "procrustes", *options, "--out", str(tmp_path / "out"), "--to", "fasttext"]
    assert run(aligned) == 0
    capsys.readouterr()
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"aligned.safetensors", "mapping.safetensors", "source.bin", "target.bin"}
    assert not written & {"source.vec", "target.vec"}
    space = read_bilingual(tmp_path / "out/aligned.safetensors")
    for name, side in (("source", space.source), ("target", space.target)):
        model = read(tmp_path / f"out/{name}.bin")
        np.testing.assert_allclose(model.vectors, side.vectors, atol=1e-5)
        np.testing.assert_allclose(model.vector("cattle"), side.vector("cattle"), atol=1e-5)
    fails(capsys, ["evaluate", "bli", *options, "--format", "text"], "en.bin")


def test_a_static_model_of_both_languages(files, tmp_path, capsys):
    folder, _ = files
    space = BilingualEmbedding.separate(read(folder / "en.vec"), read(folder / "es.vec"), "en", "es")
    write(space, tmp_path / "both.safetensors")
    convert = ["convert", "--input", str(tmp_path / "both.safetensors"), "--to", "static", "--json", "--out"]
    assert run([*convert, str(tmp_path / "model")]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["words"], facts["merged"], facts["unreachable"]) == (6, 0, 0)
    assert run([*convert, str(tmp_path / "one"), "--side", "source", "--max-vocabulary", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == 2
    assert run([*convert, str(tmp_path / "one"), "--weights", "none"]) == 0  # again, into the same folder
    capsys.readouterr()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/config.json").write_text("mine")
    fails(capsys, [*convert, str(tmp_path / "full")], "config.json would be overwritten")
    out = str(tmp_path / "a.vec")
    assert run(["convert", "--input", str(folder / "en.vec"), "--out", out, "--weights", "idf"]) == 2


def test_train_prints_its_facts(files, tmp_path, capsys):
    folder, _ = files
    texts = ["--input", str(folder / "en.txt"), "--input", str(folder / "es.txt")]
    out = tmp_path / "joint.safetensors"
    sizes = ["--dimensions", "8", "--epochs", "1", "--threads", "1"]
    assert run(["train", *texts, "--out", str(out), *sizes, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["languages"] == ["en", "es"]
    assert facts["vocabulary"] == len(read(out))
    assert facts["words_per_second"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["joint.safetensors"]
    texts = ["--joint", str(out), "--source", texts[1], "--target", texts[3]]
    split = tmp_path / "split.safetensors"
    assert run(["reallocate", *texts, "--out", str(split), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["shared"] == 15  # every tenth of 150 concepts is spelt alike
    assert facts["source_only"] == facts["target_only"] == 135


def text_of(kind):
    return {
        "empty": b"",
        "blank": b"\n\n  \n",
        "binary": bytes(range(256)) * 50,
        "latin1": "el ni\xf1o\n".encode("latin-1") * 50,
        "rare": b"every word once\n",
    }[kind]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("empty", "no word"), ("blank", "no word"), ("binary", "line 1"), ("latin1", "UTF-8")],
)
@pytest.mark.parametrize("side", ["--source", "--target"])
def test_bad_text(files, tmp_path, capsys, kind, expected, side):
    _, options = files
    bad = tmp_path / "bad.txt"
    bad.write_bytes(text_of(kind))
    out = tmp_path / "out"
    arguments = ["run", *flat(options | {side: bad, "--out": out}), "--json"]
    fails(capsys, arguments, str(bad), expected)
    assert not (out / "joint.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"--source": "missing.txt"}, "missing.txt"),
        ({"--target": "/"}, "folder"),
        ({"--lexicon": "missing.txt"}, "missing.txt"),
        ({"--test": "missing.txt"}, "missing.txt"),
        ({"--gamma": "3"}, "gamma"),
        ({"--method": "magic"}, "procrustes"),
        ({"--method": "procrustes", "--steps": "3"}, "steps"),
        ({"--source": "-"}, "files"),
        ({"--out": "/dev/null/x"}, "/dev/null"),
    ],
)
def test_bad_settings(files, tmp_path, capsys, changes, expected):
    _, options = files
    given = options | {"--out": tmp_path / "out"} | changes
    fails(capsys, ["run", *flat(given)], expected)
    assert not (tmp_path / "out" / "source").exists(), "found out too late"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no usable pair"),
        (b"# only a comment\n", "no usable pair"),
        (b"\x00\x01\x02\x03", "binary"),
        ("ni\xf1o child\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_bad_lexicon(files, tmp_path, capsys, content, expected):
    _, options = files
    bad = tmp_path / "bad.txt"
    bad.write_bytes(content)
    given = options | {"--lexicon": bad, "--out": tmp_path / "out"}
    fails(capsys, ["run", *flat(given)], str(bad), expected)


def test_lexicon_without_a_known_word(files, tmp_path, capsys):
    folder, _ = files
    other = tmp_path / "other.txt"
    other.write_text("mouse ratón\n")
    options = vectors(folder, **{"--lexicon": other})
    fails(capsys, ["evaluate", "bli", *options], "none of the")
    more = ["--out", str(tmp_path / "out")]
    fails(capsys, ["align", "procrustes", *options, *more], "none of the 1 dictionary pairs")
    assert not (tmp_path / "out").exists()


BAD_VECTORS = {
    "empty.vec": (b"", "empty"),
    "nan.vec": (b"2 2\ncat 1 2\ndog nan 1\n", "line 3"),
    "short.vec": (b"2 3\ncat 1 2 3\ndog 1 2\n", "line 3"),
    "binary.vec": (bytes(range(256)), "binary.vec"),
    "cut.vec.gz": (gzip.compress(b"1 2\ncat 1 2\n" * 500)[:-20], "cut.vec.gz"),
    "cut.bin": (b"2 300\ncat " + b"\0" * 100, "cut.bin"),
    "cut.safetensors": (b"\x10\0\0\0\0\0\0\0{}", "cut.safetensors"),
    "vectors.xyz": (b"", "got nothing"),
}


@pytest.mark.parametrize("name", BAD_VECTORS)
def test_bad_vectors(files, tmp_path, capsys, name):
    folder, _ = files
    content, expected = BAD_VECTORS[name]
    (tmp_path / name).write_bytes(content)
    options = vectors(folder, **{"--source-vectors": tmp_path / name})
    fails(capsys, ["evaluate", "bli", *options, "--json"], expected)


def test_dimensions_that_differ(files, tmp_path, capsys):
    folder, _ = files
    write(Embedding(Vocabulary(("cat",)), np.ones((1, 5), np.float32)), tmp_path / "five.vec")
    options = vectors(folder, **{"--source-vectors": tmp_path / "five.vec"})
    fails(capsys, ["evaluate", "bli", *options], "5 (source) and 3 (target)")


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "--input", "a.vec", "--out", "a.vec"],
        ["train", "--input", "a.txt", "--out", "a.txt"],
        ["translate", "--embedding", "a.safetensors", "--export", "a.safetensors"],
        ["reallocate", "--joint", "a.safetensors", "--source", "b", "--target", "c"]
        + ["--out", "a.safetensors"],
        ["align", "rcsls", "--source-vectors", "source.vec", "--target-vectors", "b.vec"]
        + ["--lexicon", "l.txt", "--out", "."],
    ],
)
def test_inputs_are_never_overwritten(tmp_path, capsys, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("a.vec", "a.txt", "a.safetensors", "source.vec", "b.vec", "l.txt"):
        (tmp_path / name).write_text("precious")
    fails(capsys, arguments, "this is an input")
    assert all(path.read_text() == "precious" for path in tmp_path.iterdir())


def test_a_dictionary_the_wrong_way_round(files, tmp_path, capsys):
    folder, options = files
    turned = tmp_path / "turned.txt"
    lines = [line.split() for line in (folder / "train.txt").read_text().splitlines()]
    turned.write_text("".join(f"{target} {source}\n" for source, target in lines))
    given = options | {"--lexicon": turned, "--out": tmp_path / "out"}
    fails(capsys, ["run", *flat(given)], "order target, source")
    assert not (tmp_path / "out" / "joint.safetensors").exists()


def test_full_disk_loses_nothing(files, tmp_path, capsys, monkeypatch):
    folder, _ = files
    out = tmp_path / "kept.vec"
    out.write_text("1 1\nprecious 1\n")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    arguments = ["convert", "--input", str(folder / "en.vec"), "--out", str(out)]
    fails(capsys, arguments, "space")
    assert out.read_text() == "1 1\nprecious 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.vec"]


def test_debug_shows_the_traceback(files, capsys):
    folder, _ = files
    options = vectors(folder, **{"--source-vectors": "missing.vec"})
    assert run(["evaluate", "bli", *options, "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_longest_line_is_an_option_of_every_command(files, tmp_path, capsys):
    folder, _ = files
    (tmp_path / "pairs.txt").write_text("cat gato\ndog perro\n#" + "x" * (1 << 20))
    options = vectors(folder, **{"--lexicon": tmp_path / "pairs.txt"})
    for given in (["--longest-line", "1"], ["--longest-line=1"]):
        fails(capsys, ["evaluate", *given, "bli", *options], "line 3", "longer than 1 MiB", "--longest-line")
    assert run(["evaluate", "bli", *options, "--longest-line", "2"]) == 0
    assert run(["evaluate", "bli", *options]) == 0
    capsys.readouterr()
    for wrong in (["--longest-line"], ["--longest-line", "0"], ["--longest-line=x"]):
        fails(capsys, ["evaluate", "bli", *options, *wrong], "number of MiB")


def test_a_bug_is_called_a_bug(files, capsys, monkeypatch):
    folder, _ = files
    monkeypatch.setattr("jointalign.lexicon.Lexicon.read", lambda *_, **__: 1 / 0)
    assert run(["evaluate", "bli", *vectors(folder)]) == 1
    assert "bug in jointalign: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["run"], ["train", "--input", "x", "--epochs", "0", "--out", "y"]]
)
def test_usage_errors(arguments):
    assert run(arguments) == 2


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "run",
        "train",
        "reallocate",
        "align",
        "align auto",
        "align rcsls",
        "study",
        "study table1",
        "rank",
        "translate",
        "plot",
        "convert",
        "data",
        "",
    ],
)
def test_help(command, capsys):
    assert run([*command.split(), "--help"]) == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize("method", METHODS)
def test_every_method_shows_its_own_settings_with_their_defaults(method, capsys):
    assert run(["align", method, "--help"]) == 0
    shown = capsys.readouterr().out
    facts = dataclasses.fields(method_named(method).core)
    for field in facts:
        if field.type in ("int", "float", "bool"):
            assert f"--{field.name.replace('_', '-')}"[:20] in shown
    assert "--regularization" in shown or method not in ("geomm", "geomm_semi_supervised")
    assert ("--discriminator" in shown) == method.startswith("muse")


def test_a_setting_that_is_given_reaches_the_method(files, tmp_path, capsys):
    folder, _ = files
    arguments = ["align", "geomm", *vectors(folder), "--out", str(tmp_path / "out"), "--json"]
    assert run([*arguments, "--regularization", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == {"name": "geomm", "regularization": 7.0}
    fails(capsys, [*arguments, "--regularization", "-1"], "regularization must be above 0")


def test_three_languages_from_text_to_translations(tmp_path, capsys):
    texts = {"en": "the cat saw radio", "es": "el gato vio radio", "de": "die katze sah radio"}
    inputs = []
    for code, line in texts.items():
        (tmp_path / f"novel.{code}.txt").write_text(f"{line}\n" * 9)
        inputs += ["--input", str(tmp_path / f"novel.{code}.txt")]
    for code in ("es", "de"):
        english, other = texts["en"].split()[:3], texts[code].split()[:3]
        lines = [f"{a} {b}\n" for a, b in zip(english, other, strict=True)]
        (tmp_path / f"en-{code}.txt").write_text("".join(lines))

    def said(*arguments):
        assert run([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    joint, split = tmp_path / "joint.safetensors", tmp_path / "split.safetensors"
    settings = ["--dimensions", "8", "--epochs", "1", "--threads", "1"]
    assert said("train", *inputs, "--out", joint, *settings)["languages"] == ["en", "es", "de"]
    facts = said("reallocate", "--joint", joint, *inputs, "--out", split)
    assert facts["parts"] == {"en": 3, "es": 3, "de": 3, "en+es+de": 1}
    lexicons = [f"--pivot-lexicon={code}={tmp_path}/en-{code}.txt" for code in ("es", "de")]
    pivot = ["align", "procrustes", "--embedding", split, "--pivot", "en", "--out", tmp_path / "out"]
    facts = said(*pivot, *lexicons)
    assert facts["languages"]["de"]["pairs"]["used"] == 3
    assert read(tmp_path / "out/de.vec").words == ("die", "katze", "sah", "radio")
    aligned = ["--embedding", tmp_path / "out/aligned.safetensors", "--source", "en"]
    scores = said("evaluate", "bli", *aligned, "--target", "de", "--lexicon", tmp_path / "en-de.txt")
    assert scores["n"] == 3
    (answer,) = said("translate", *aligned, "--target", "de", "catty")["words"]
    assert answer["from_subwords"] and answer["translations"]
    out = tmp_path / "es.vec"
    convert = ["convert", "--input", tmp_path / "out/aligned.safetensors", "--out", out]
    assert said(*convert, "--language", "es")["words"] == 4
    fails(capsys, list(map(str, [*pivot, lexicons[0]])), "one lexicon from 'en' into each of es, de")
    pivot[1], pivot[-1] = "vecmap", tmp_path / "never"
    fails(capsys, list(map(str, [*pivot, *lexicons])), "VecMap moves the target too")
    assert not (tmp_path / "never").exists()
    evaluate = ["evaluate", "bli", "--embedding", aligned[1], "--lexicon", tmp_path / "en-de.txt"]
    fails(capsys, list(map(str, evaluate)), "got an embedding of several languages; name its")


def test_align_leaves_the_files_of_others_alone(files, tmp_path, capsys):
    folder, _ = files
    (tmp_path / "source.vec").write_text("mine")
    arguments = ["align", "procrustes", *vectors(folder), "--out", str(tmp_path)]
    fails(capsys, arguments, "source.vec would be overwritten, and there is no aligned.safetensors")
    assert (tmp_path / "source.vec").read_text() == "mine"
    arguments[-1] = str(tmp_path / "new")
    assert run(arguments) == run(arguments) == 0  # its own are replaced


def test_alignment_without_a_dictionary(files, tmp_path, capsys):
    folder, _ = files
    options = vectors(folder)
    place = options.index("--lexicon")
    without = [*options[:place], *options[place + 2 :]]
    out = ["--out", str(tmp_path / "out")]
    assert run(["align", "procrustes", *without, *out]) == 2
    assert "give either --lexicon, or --pairs" in capsys.readouterr().err
    fails(capsys, ["align", "procrustes", *without, *out, "--pairs", "numerals"], "no numeral")
    fails(capsys, ["align", "procrustes", *without, *out, "--pairs", "none"], "got none")


@pytest.mark.parametrize("code", ["", "../en", "e n", "en/es"])
def test_language_codes_name_files(code):
    with pytest.raises(typer.BadParameter, match="expected a language code"):
        check_code(code)
    assert check_code("zh-Hans") == "zh-Hans"


def test_the_page_of_the_commands_names_them_all():
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    table = page.split("## Step by step")[0]
    for name in COMMANDS:
        assert f"`{name}" in table or f" `{name}`" in table, name
    for name in RESUMED.replace(" and ", ", ").split(", "):
        assert f"`{name}`" in page.split("| 130 |")[1], name


ALONE = """
import sys, types, jointalign.version
package = types.ModuleType("jointalign")  # what `import jointalign` itself loads is no matter of the commands
package.__path__ = sys.modules["jointalign"].__path__
for name in [name for name in sys.modules if name.split(".")[0] in ("jointalign", "numba", "numpy", "rich")]:
    del sys.modules[name]
sys.modules["jointalign"] = package
from jointalign.__main__ import main
sys.argv = ["jointalign", "{option}"]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_no_method(option):
    found = subprocess.run(
        [sys.executable, "-c", ALONE.format(option=option)], capture_output=True, text=True, check=True
    )
    loaded = found.stderr.split()
    assert not {"numba", "numpy", "rich", "jointalign.cli.train", "jointalign.alignment"} & set(loaded)
    assert ("typer" in loaded) == (option == "--help")
    assert (jointalign.__version__ if option == "--version" else "Usage: jointalign") in found.stdout


HELPED = """
import sys
from typer.main import get_command
from jointalign.cli.app import application, run

def lines(command, before):
    yield before
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from lines(command.get_command(None, name), [*before, name])

for line in list(lines(get_command(application), [])):
    assert run([*line, "--help"]) == 0, line
    print("loaded", *line, {"numba", "scipy", "torch", "pydantic", "rich"} & set(sys.modules))
"""


def test_no_help_loads_a_compiler_or_another_heavy_package():
    found = subprocess.run([sys.executable, "-c", HELPED], capture_output=True, text=True, check=True)
    ends = [line.split(" ", 1)[1] for line in found.stdout.splitlines() if line.startswith("loaded")]
    assert {f"{line}set()" for line in ("", "train ", "align rcsls ", "study table3 ", "data get muse ")} < {
        *ends
    }
    assert [end for end in ends if not end.endswith("set()")] == []


def test_a_typing_error_is_likened_to_a_command(capsys):
    assert run(["trian"]) == 2
    assert "Did you mean 'train'" in capsys.readouterr().err


def test_an_alignment_that_found_nothing_says_so(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for side in ("source", "target"):
        words = Vocabulary(tuple(f"{side}{row}" for row in range(300)))
        write(Embedding(words, rng.normal(size=(300, 10)).astype(np.float32)), tmp_path / f"{side}.vec")
    space = [
        *("--source-vectors", str(tmp_path / "source.vec")),
        *("--target-vectors", str(tmp_path / "target.vec")),
    ]
    options = ["--pairs", "none", "--threads", "1", "--out", str(tmp_path / "out")]
    assert run(["align", "vecmap_unsupervised", *space, *options, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["worked"] is False
    assert "do not trust the result" in captured.err
    pairs = "".join(f"source{row} target{row}\n" for row in range(200))
    (tmp_path / "pairs.txt").write_text(pairs)
    options = ["--lexicon", str(tmp_path / "pairs.txt"), "--threads", "1", "--out", str(tmp_path / "out")]
    assert run(["align", "rcsls", *space, *options, "--steps", "2"]) == 0
    assert "ALIGNMENT FAILED" in capsys.readouterr().out


def space_of(folder, turned, alike=120):
    """Two sets of vectors with words spelt alike, one the other turned, or unrelated."""
    rng = np.random.default_rng(0)
    words = tuple(f"same{row}" if row < alike else f"own{row}" for row in range(400))
    x = rng.normal(size=(400, 10)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(10, 10)))[0].astype(np.float32)
    z = x @ turn if turned else rng.normal(size=(400, 10)).astype(np.float32)
    for name, vectors in (("source", x), ("target", z)):
        write(Embedding(Vocabulary(words), vectors), folder / f"{name}.vec")
    return flat({f"--{name}-vectors": folder / f"{name}.vec" for name in ("source", "target")})


@pytest.mark.parametrize("method", ["procrustes", "auto"])
def test_every_method_without_a_dictionary_has_a_verdict(method, tmp_path, capsys):
    for turned in (True, False):
        vectors = space_of(tmp_path, turned)
        options = [*vectors, "--pairs", "identical", "--threads", "1", "--out", str(tmp_path / f"{turned}")]
        assert run(["align", method, *options, "--json"]) == 0
        captured = capsys.readouterr()
        assert json.loads(captured.out)["worked"] is turned
        assert ("do not trust" in captured.err) is not turned
    assert run(["align", method, *options]) == 0
    assert "ALIGNMENT FAILED" in capsys.readouterr().out


def test_words_respelt_and_merged_are_counted(files, tmp_path, capsys):
    folder, _ = files
    words = ("Cat", "cat", "dog\u2019s", "house")
    write(Embedding(Vocabulary(words), np.eye(4, 3, dtype=np.float32) + 0.1), tmp_path / "en.vec")
    (tmp_path / "pairs.txt").write_text("cat gato\nCAT gato\ndog's perro\nhouse casa\nhouse casa\n")
    options = vectors(
        folder, **{"--source-vectors": tmp_path / "en.vec", "--lexicon": tmp_path / "pairs.txt"}
    )
    assert run(["evaluate", "bli", *options, "--json"]) == 0
    captured = capsys.readouterr()
    none = {"respelt": 0, "merged": 0}
    assert json.loads(captured.out)["spellings"] == {"source": {"respelt": 2, "merged": 1}, "target": none}
    assert "source vectors: 2 words" in captured.err and "target vectors" not in captured.err
    assert "1 repeated, 1 repeated in another spelling" in captured.err
    out = ["--threads", "1", "--out", str(tmp_path / "out"), "--json"]
    assert run(["align", "procrustes", *options, *out]) == 0
    assert json.loads(capsys.readouterr().out)["spellings"]["source"] == {"respelt": 2, "merged": 1}


def test_few_pairs_and_little_text_are_said_at_the_start_and_at_the_end(tmp_path, capsys):
    vectors = space_of(tmp_path, True)
    pairs = [f"own{row} own{row}\n" for row in range(200, 400)]
    for count, warned in ((99, True), (100, False)):
        (tmp_path / "pairs.txt").write_text("".join(pairs[:count]))
        options = [
            *vectors,
            *flat({"--lexicon": tmp_path / "pairs.txt", "--threads": 1, "--out": tmp_path / "o"}),
        ]
        for command in (["align", "procrustes"], ["rank"]):
            assert run([*command, *options, "--json"]) == 0
            captured = capsys.readouterr()
            assert [f"few pairs: {count}" in note for note in json.loads(captured.out)["warnings"]] == (
                [True] * warned
            )
            assert (f"warning: few pairs: {count}" in captured.err) is warned
            assert run([*command, *options]) == 0
            assert (f"warning: few pairs: {count}" in capsys.readouterr().out) is warned
    (tmp_path / "pairs.txt").write_text("".join(pairs[:25]))
    assert run(["align", "vecmap_semi_supervised", *options, "--json"]) == 0  # makes the most of few
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    (tmp_path / "text.en.txt").write_text("some words of a text\n" * 50)
    small = flat({"--dimensions": 4, "--epochs": 1, "--threads": 1, "--out": tmp_path / "o.vec"})
    assert run(["train", "--input", str(tmp_path / "text.en.txt"), *small]) == 0
    captured = capsys.readouterr()
    assert "warning: little text in 'en': 250 tokens" in captured.err
    assert "warning: little text in 'en': 250 tokens" in captured.out


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("novels.en.txt.bz2", "en"),
        ("novels.zho.txt", "zh"),
        ("wiki.deu", "de"),
        ("news.ger.txt.gz", "de"),
        ("a.pt-BR.txt", "pt"),
        ("a.zh_TW.txt", "zh"),
        ("en.tok.es.txt", "es"),
        ("en.txt", "en"),
        ("eng.txt", "und"),
        ("text.txt", "und"),
        ("old.new.gz", "und"),
        ("mono.xyz.txt", "und"),
    ],
)
def test_file_names_tell_languages_of_two_and_three_letters(name, code):
    assert languages([Path(name)], None) == [code]


def test_one_language_twice_is_noticed_before_the_training(tmp_path, capsys):
    for name in ("old.en.txt", "new.eng.txt"):
        (tmp_path / name).write_text("a text of one language\n" * 50)
    texts = ["--source", str(tmp_path / "old.en.txt"), "--target", str(tmp_path / "new.eng.txt")]
    arguments = ["run", *texts, "--target-language", "eng", "--out", str(tmp_path / "out")]
    fails(capsys, arguments, "one language, 'en'", "--pairs identical")


def test_the_languages_given_to_align_stay_in_its_file(files, tmp_path, capsys):
    folder, _ = files
    space = [*vectors(folder)[:4], "--lexicon", str(folder / "pairs.txt")]
    codes = ["--source-language", "tr", "--target-language", "es"]
    assert run(["align", "procrustes", *space, *codes, "--out", str(tmp_path / "out")]) == 0
    aligned = tmp_path / "out/aligned.safetensors"
    both = read_bilingual(aligned)
    assert (both.source_language, both.target_language) == ("tr", "es")
    capsys.readouterr()
    assert run(["translate", "--embedding", str(aligned), "DOG", "D\u0130NG", "--json"]) == 0
    dog, ding = json.loads(capsys.readouterr().out)["words"]
    assert (dog["word"], ding["word"]) == ("dog", "ding")
