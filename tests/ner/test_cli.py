"""`jointalign ner` as its users meet it: train, tag, score, and what it says to rubbish."""

import io
import json
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="tagging needs torch")

from grammar import sentences, space  # noqa: E402
from jointalign import write  # noqa: E402
from jointalign.cli.app import run  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.ner import api as ner  # noqa: E402
from jointalign.ner import conll  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write(space(), folder / "space.safetensors")
    for side, name in ((space().source, "en"), (space().target, "es")):
        write(side, folder / f"{name}.vec")
    conll.write(sentences("en", 200, 0), folder / "train.txt")
    conll.write(sentences("en", 60, 1), folder / "valid.txt")
    conll.write(sentences("es", 100, 2), folder / "test.txt")
    return folder


@pytest.fixture(scope="module")
def trained(files):
    assert run(train(files, files / "model")) == 0
    return files / "model"


def train(files, out, *more):
    return [
        "ner",
        "train",
        "--embedding",
        str(files / "space.safetensors"),
        "--train",
        str(files / "train.txt"),
        "--development",
        str(files / "valid.txt"),
        "--out",
        str(out),
        "--epochs",
        "4",
        "--batch-size",
        "8",
        "--learning-rate",
        "0.005",
        "--hidden",
        "16",
        "--no-characters",
        *more,
    ]


def fails(capsys, arguments, message):
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0], captured.err


def test_a_tagger_learnt_in_english_scores_in_spanish(files, trained, capsys):
    arguments = ["ner", "evaluate", str(trained), str(files / "test.txt"), "--language", "es"]
    assert run([*arguments, "--predictions", str(files / "found.txt"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["f1"] > 85 and facts["coverage"] == 100
    assert facts["ci"][0] <= facts["f1"] <= facts["ci"][1]
    assert set(facts["types"]) == {"PER", "LOC"}
    gold = conll.read(files / "found.txt", tag_column=1).sentences
    found = conll.read(files / "found.txt", tag_column=2).sentences
    assert gold == conll.read(files / "test.txt").sentences
    assert ner.score(gold, [s.tags for s in found]).f1 == pytest.approx(facts["f1"])
    assert run(arguments) == 0
    assert "F1 = " in capsys.readouterr().out


def test_training_reports_itself_and_vec_files_do_as_well(files, tmp_path, capsys):
    arguments = train(files, tmp_path / "model", "--json")[4:]
    vectors = ["--source-vectors", str(files / "en.vec"), "--target-vectors", str(files / "es.vec")]
    languages = ["--source-language", "en", "--target-language", "es"]
    assert run(["ner", "train", *vectors, *languages, "--sentences", "150", *arguments]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["languages"] == ["en", "es"] and facts["select"] == "source-dev"
    assert facts["sentences"] == 150 and facts["best_f1"] > 80
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"tagger.json", "tagger.safetensors", "words.safetensors"} <= names
    assert "training.checkpoint" not in names


def test_the_same_seed_gives_the_same_files(files, trained, tmp_path):
    assert run(train(files, tmp_path / "again")) == 0
    assert run(train(files, tmp_path / "other", "--seed", "1")) == 0
    for name in ("tagger.safetensors", "words.safetensors", "tagger.json"):
        assert (trained / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    first = (trained / "tagger.safetensors").read_bytes()
    assert first != (tmp_path / "other" / "tagger.safetensors").read_bytes()


def test_unfinished_learning_of_other_settings_is_refused(files, tmp_path, capsys, monkeypatch):
    out = tmp_path / "model"

    def stopped(model, folder):
        raise JointalignError("stopped")

    with monkeypatch.context() as stopping:
        stopping.setattr("jointalign.contextual.job.write_tagger", stopped)
        assert run(train(files, out)) == 2
    capsys.readouterr()
    kept = (out / "training.checkpoint").read_bytes()
    fails(capsys, train(files, out, "--seed", "1"), "(seed: 0, now 1)")
    assert (out / "training.checkpoint").read_bytes() == kept
    assert run(train(files, out, "--seed", "1", "--fresh")) == 0
    assert "removed" in capsys.readouterr().err
    assert not (out / "training.checkpoint").exists()


def test_target_development_text_can_decide(files, tmp_path, capsys):
    arguments = train(files, tmp_path / "model", "--select", "target-dev", "--json")
    arguments[arguments.index("--development") + 1] = str(files / "test.txt")
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["select"] == "target-dev"


def test_text_from_standard_input_is_tagged(trained, monkeypatch, capsys):
    text = "esper1 esper2 esverb1 esfiller3 esloc4\n\nesloc1 esverb2 esper3\n"
    arguments = ["ner", "predict", str(trained), "--language", "es", "--tokenized"]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert run(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "esper1 B-PER" and lines[1] == "esper2 I-PER" and lines[5] == ""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert len(facts["sentences"]) == 2
    assert facts["sentences"][1]["entities"][-1] == {"type": "PER", "start": 2, "end": 3, "text": "esper3"}


def test_standard_input_is_a_stream_whose_reader_may_leave(trained, tmp_path):
    line = "esper1 esper2 esverb1 esfiller3 esloc4\n"
    command = [sys.executable, "-m", "jointalign", "ner", "predict", str(trained)]
    process = subprocess.Popen(
        [*command, "--language", "es", "--tokenized"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write((line * (ner.AT_ONCE + 1)).encode())
    process.stdin.flush()
    # Tagged before the text has ended; then whoever reads has seen enough.
    assert process.stdout.readline() == b"esper1 B-PER\n"
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.close()
    assert process.wait(120) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_text_without_ends_of_sentences_is_tagged_in_pieces(trained, tmp_path, monkeypatch, capsys):
    words = ["esper1", "esper2", "esverb1", "esfiller3", "esloc4"] * 5
    monkeypatch.setattr(ner, "LONGEST", 10)
    monkeypatch.setattr(ner, "WORDS_AT_ONCE", 30)
    (tmp_path / "line.txt").write_text(" ".join(words) + "\n" + "esper1 esverb1\n" * 20)
    (tmp_path / "conll.txt").write_text("".join(f"{word}\n" for word in words))
    arguments = ["ner", "predict", str(trained), "--language", "es"]
    assert run([*arguments, str(tmp_path / "line.txt"), "--tokenized", "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert facts["count"] == len(facts["sentences"]) == 21
    first = facts["sentences"][0]
    assert first["words"] == words and len(first["tags"]) == 25
    assert first["tags"][:5] == ["B-PER", "I-PER", "O", "O", "B-LOC"]
    assert "a sentence of 25 words" in captured.err and "in 3 pieces" in captured.err
    out = tmp_path / "out.txt"
    conll_arguments = [*arguments, str(tmp_path / "conll.txt"), "--format", "conll", "--json"]
    assert run([*conll_arguments, "--out", str(out)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["count"] == 1 and facts["out"] == str(out) and "sentences" not in facts
    (whole,) = conll.read(out).sentences
    assert list(whole.tags or ()) == first["tags"]


def test_what_is_no_text_leaves_no_output(trained, tmp_path, capsys):
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 100)
    arguments = ["ner", "predict", str(trained), str(tmp_path / "noise.bin"), "--language", "es"]
    fails(capsys, [*arguments, "--out", str(tmp_path / "out.txt")], "noise.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["noise.bin"]


def test_conll_lines_stay_and_get_a_column(trained, tmp_path):
    path, out = tmp_path / "in.txt", tmp_path / "out.txt"
    path.write_text("-DOCSTART- -X-\n\nesper1 N\nesverb1 V\n\n\nesloc2 N\n")
    arguments = ["ner", "predict", str(trained), str(path), "--language", "es"]
    assert run([*arguments, "--format", "conll", "--out", str(out)]) == 0
    assert out.read_text() == ("-DOCSTART- -X-\n\nesper1 N B-PER\nesverb1 V O\n\n\nesloc2 N B-LOC\n\n")


def test_rubbish_gets_one_line(files, trained, tmp_path, capsys):
    test = str(files / "test.txt")
    fails(capsys, ["ner", "evaluate", str(trained), test, "--language", "fr"], "got 'fr'")
    fails(capsys, ["ner", "evaluate", str(tmp_path / "no"), test, "--language", "es"], "no")
    (tmp_path / "bad.txt").write_text("a O\nb\n")
    arguments = ["ner", "evaluate", str(trained), str(tmp_path / "bad.txt"), "--language", "es"]
    fails(capsys, arguments, "bad.txt, line 2: expected 2 columns")
    fails(
        capsys, ["ner", "predict", str(trained), test, "--language", "es", "--out", test], "this is an input"
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "diary.txt").write_text("mine")
    fails(capsys, train(files, tmp_path / "model"), "holds other files")


def test_a_tagger_is_not_overwritten_with_what_it_tags(files, trained, capsys):
    before = (trained / "tagger.json").read_bytes()
    given = [str(files / "test.txt"), "--language", "es"]
    out = str(trained / "tagger.json")
    fails(capsys, ["ner", "predict", str(trained), *given, "--out", out], "this is an input")
    scored = ["ner", "evaluate", str(trained), *given, "--predictions", out]
    fails(capsys, scored, "this is an input")
    assert (trained / "tagger.json").read_bytes() == before


def test_text_is_tagged_into_the_form_that_the_suffix_names(files, trained, tmp_path, capsys):
    line = "esper1  esverb2 \t (esloc3)"
    (tmp_path / "text.txt").write_text(f"{line}\n\nesloc4 esverb1 esper2\n")
    common = ["ner", "predict", str(trained), str(tmp_path / "text.txt"), "--language", "es"]
    for name in ("found.jsonl", "found.conllu", "found.spacy", "found.txt"):
        assert run([*common, "--out", str(tmp_path / name)]) == 0
    first, second = map(json.loads, (tmp_path / "found.jsonl").read_text().splitlines())
    assert first["text"] == line and first["words"] == ["esper1", "esverb2", "(", "esloc3", ")"]
    assert [line[start:end] for start, end in first["places"]] == first["words"]
    assert {("PER", "esper1"), ("LOC", "esloc3")} <= {(e["type"], e["text"]) for e in first["entities"]}
    assert all(0 < e["probability"] <= 1 for e in first["entities"] + second["entities"])
    columns = conll.read(tmp_path / "found.txt").sentences
    assert [list(s.tags) for s in columns] == [first["tags"], second["tags"]]
    assert f"# text = {line}\n" in (tmp_path / "found.conllu").read_text()
    capsys.readouterr()
    assert run([*common, "--to", "jsonl"]) == 0
    assert capsys.readouterr().out == (tmp_path / "found.jsonl").read_text()
    column_file = ["ner", "predict", str(trained), str(files / "test.txt"), "--language", "es"]
    assert run([*column_file, "--format", "conll", "--to", "jsonl", "--out", str(tmp_path / "c")]) == 0
    for text in (tmp_path / "c").read_text().splitlines():
        facts = json.loads(text)
        assert [facts["text"][start:end] for start, end in facts["places"]] == facts["words"]
    assert run([*common, "--to", "docbin"]) == 2
    assert "name it with --out" in capsys.readouterr().err


def test_scores_tell_what_goes_wrong_and_with_which_words(files, trained, capsys):
    arguments = ["ner", "evaluate", str(trained), str(files / "test.txt"), "--language", "es"]
    arguments += ["--train", str(files / "test.txt")]
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    for name, one in facts["errors"]["types"].items():
        kinds = ("correct", "other_type", "other_words", "both", "missed")
        assert sum(one[kind] for kind in kinds) == facts["types"][name]["gold"]
        assert one["correct"] == facts["types"][name]["correct"]
    for apart in facts["words_known_to"].values():  # every word is seen, and has a vector
        assert apart["known"]["gold"] == facts["gold"] and apart["unknown"]["gold"] == 0
    assert set(facts["words_known_to"]) == {"training text", "vocabulary"}
    assert 0 <= facts["calibration_error"] < 0.3
    assert run(arguments) == 0
    said = capsys.readouterr().out
    assert "missed" in said and "training text" in said and "calibration" in said


def test_a_tagger_learnt_from_translated_text_tags_as_well(files, tmp_path, capsys):
    pairs = [f"en{role}{n}\tes{role}{n}" for role in ("per", "loc", "verb", "filler") for n in range(12)]
    (tmp_path / "en-es.txt").write_text("\n".join(pairs) + "\n")
    assert run(train(files, tmp_path / "model", "--translate", str(tmp_path / "en-es.txt"), "--json")) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["language"] == "es" and "0 kept as they are" in captured.err
    arguments = ["ner", "evaluate", str(tmp_path / "model"), str(files / "test.txt"), "--language", "es"]
    assert run([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["f1"] > 85
    arguments = ["ner", "train", "--encoder", "x", "--translate", "y", *train(files, tmp_path / "m")[4:]]
    assert run(arguments) == 2
    assert "--translate is for vectors from a table" in capsys.readouterr().err
