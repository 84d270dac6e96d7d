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
    assert len(before) == 5  # four, and how well the layers' maps do
    assert run([*arguments, "--json"]) == 0  # nothing is made again
    capsys.readouterr()
    assert before == {path: path.stat().st_mtime_ns for path in before}
    without = [a for a in arguments if a not in ("--encoder", encoder)]
    without = [str(tmp_path / "other") if a == str(tmp_path / "out") else a for a in without]
    assert run([*without, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {row["directions"]["es"]["absent"] for row in facts["rows"]} == {"needs weights"}


def test_cells_go_stale_with_what_they_are_made_of(tmp_path, capsys):
    """What changes is refused by name, or changes the cells that read it, and no other."""
    data, out = tmp_path / "data", tmp_path / "out"
    write_data(data)
    words = NAMES + VERBS["en"] + VERBS["es"]
    encoder = save_tiny_bert(tmp_path / "tiny", words, positions=16, layers=4)
    arguments = ["study", "table3", "--data", str(data), "--languages", "es", "--seeds", "1"]
    arguments += ["--epochs", "1", "--hidden", "4", "--out", str(out)]
    arguments += ["--rows", "m-bert-feature,m-bert-feature-align", "--encoder", encoder]
    arguments += ["--parallel", f"es={data / 'parallel.txt'}"]

    def made(*fresh):
        """What a run makes: cells, maps and features."""
        before = stamps()
        assert run([*arguments, *fresh]) == 0
        capsys.readouterr()
        return {name for name, stamp in stamps().items() if before.get(name) != stamp}

    def stamps():
        work = out / "contextual"
        paths = [
            *work.glob("cells/*.json"),
            *work.glob("mapping.es.json"),
            *work.glob("features/*/*/info.json"),
        ]
        return {str(path.relative_to(work).with_suffix("")): path.stat().st_mtime_ns for path in paths}

    def remade(name):
        """Refused by name with everything left as it was, and made again where that is asked for."""
        before = stamps()
        assert run(arguments) == 2
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and f"({name}: " in errors[0] and "--fresh" in errors[0]
        assert stamps() == before
        return made("--fresh")

    plain, aligned = "cells/m-bert-feature.es.seed0", "cells/m-bert-feature-align.es.seed0"
    features = {"features/plain.seed0/training/info", "features/plain.seed0/development/info"}
    mapped = {"features/es.seed0/training/info", "features/es.seed0/development/info"}
    assert made() == {plain, aligned, "cells/mapping.es"} | features | mapped
    assert not made()
    path = data / "ner" / "en" / "train.txt"
    path.write_text(path.read_text().replace("Ana", "Eva"))
    assert remade("texts") == {plain, aligned, *(name for name in features | mapped if "training" in name)}
    path = data / "parallel.txt"
    path.write_text(path.read_text().replace("Ana", "Eva"))
    assert remade("parallel") == {aligned, "cells/mapping.es"} | mapped
    save_tiny_bert(tmp_path / "tiny", words, positions=16, layers=4, seed=1)
    assert remade("encoder") == {plain, aligned, "cells/mapping.es"} | features | mapped
