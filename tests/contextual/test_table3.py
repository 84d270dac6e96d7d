"""The contextual rows of Table 3 as one command, with a tiny encoder on disk."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from jointalign.cli.app import run
from tiny_encoder import save_tiny_bert

NAMES = ["Ana", "Eva", "Leo", "Madrid", "Roma"]
VERBS = {"en": ["sees", "likes"], "es": ["mira", "quiere"]}
ROWS = (
    "m-bert-feature,m-bert-feature-align,m-bert-fine-tune-wu-dredze,m-bert-fine-tune-pires,"
    "m-bert-fine-tune-adversarial-keung,xlm-fine-tune"
)


def write_data(folder):
    generator = np.random.default_rng(0)
    parallel = []
    for language, verbs in VERBS.items():
        for part, count in (("train", 40), ("valid", 10), ("test", 15)):
            lines = []
            for _ in range(count):
                who, where = generator.choice(NAMES[:3]), generator.choice(NAMES[3:])
                lines += [f"{who} B-PER", f"{generator.choice(verbs)} O", f"{where} B-LOC", ""]
            path = folder / "ner" / language / f"{part}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n")
    for _ in range(60):
        who, where, k = generator.choice(NAMES[:3]), generator.choice(NAMES[3:]), 0
        k = int(generator.integers(2))
        parallel.append(f"{who} {VERBS['en'][k]} {where} ||| {who} {VERBS['es'][k]} {where}")
    (folder / "parallel.txt").write_text("\n".join(parallel) + "\n")


def test_contextual_rows_are_filled_and_absent_ones_say_why(tmp_path, capsys):
    data = tmp_path / "data"
    write_data(data)
    words = NAMES + VERBS["en"] + VERBS["es"]
    encoder = save_tiny_bert(tmp_path / "tiny", words, positions=16, layers=4)
    arguments = ["study", "table3", "--data", str(data), "--languages", "es", "--rows", ROWS]
    arguments += ["--seeds", "1", "--epochs", "2", "--encoder", encoder, "--hidden", "8"]
    arguments += ["--parallel", f"es={data / 'parallel.txt'}", "--out", str(tmp_path / "out")]
    assert run([*arguments, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    cells = {row["row"]: row["directions"]["es"] for row in facts["rows"]}
    assert cells["xlm-fine-tune"]["absent"] == "needs weights of XLM"
    assert "Wu & Dredze" in cells["m-bert-fine-tune-pires"]["absent"]
    for name in ROWS.split(",")[:3] + ["m-bert-fine-tune-adversarial-keung"]:
        assert cells[name]["absent"] is None
        assert 0 <= cells[name]["f1"] <= 100
        assert cells[name]["encoder"] == encoder
    assert len(cells["m-bert-feature-align"]["layers"]) == 4
    assert cells["m-bert-feature-align"]["published"] == 75.77
    assert any(d["first"] == "m-bert-feature-align" for d in facts["differences"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("cells/*.json")}
    assert len(before) == 4
    assert run([*arguments, "--json"]) == 0  # nothing is made again
    capsys.readouterr()
    assert before == {path: path.stat().st_mtime_ns for path in before}
    without = [a for a in arguments if a not in ("--encoder", encoder)]
    without = [str(tmp_path / "other") if a == str(tmp_path / "out") else a for a in without]
    assert run([*without, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {row["directions"]["es"]["absent"] for row in facts["rows"]} == {"needs weights"}


def test_cells_go_stale_with_what_they_are_made_of(tmp_path, capsys):
    """Each kind of file that changes changes the cells that read it, and no other."""
    data, out = tmp_path / "data", tmp_path / "out"
    write_data(data)
    words = NAMES + VERBS["en"] + VERBS["es"]
    encoder = save_tiny_bert(tmp_path / "tiny", words, positions=16, layers=4)
    arguments = ["study", "table3", "--data", str(data), "--languages", "es", "--seeds", "1"]
    arguments += ["--epochs", "1", "--hidden", "4", "--out", str(out)]
    arguments += ["--rows", "m-bert-feature,m-bert-feature-align", "--encoder", encoder]
    arguments += ["--parallel", f"es={data / 'parallel.txt'}"]

    def made():
        """The cells that were made by a run, and whether the features of the training text were."""
        before = stamps()
        assert run(arguments) == 0
        capsys.readouterr()
        return {name for name, stamp in stamps().items() if before.get(name) != stamp}

    def stamps():
        paths = [*out.glob("contextual/cells/*.json"), *out.glob("contextual/features/*/info.json")]
        keys = [json.loads(path.read_text())["key"] for path in paths]
        names = [path.stem if path.parent.name == "cells" else path.parent.name for path in paths]
        return dict(zip(names, keys, strict=True))

    cells = {"m-bert-feature.es.seed0", "m-bert-feature-align.es.seed0"}
    features = {"en0.plain.seed0", "en1.plain.seed0", "es2.plain.seed0"}
    mapped = {"en0.es.seed0", "en1.es.seed0", "es2.es.seed0"}  # both sides are moved
    assert made() == cells | features | mapped
    assert not made()
    path = data / "ner" / "en" / "train.txt"
    path.write_text(path.read_text().replace("Ana", "Eva"))
    assert made() == cells | {"en0.plain.seed0", "en0.es.seed0"}
    path = data / "parallel.txt"
    path.write_text(path.read_text().replace("Ana", "Eva"))
    assert made() == {"m-bert-feature-align.es.seed0"} | mapped
    save_tiny_bert(tmp_path / "tiny", words, positions=16, layers=4, seed=1)
    assert made() == cells | features | mapped
