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
