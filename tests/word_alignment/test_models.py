"""Models that are kept: what they link, what comes back from the file, and what is refused; TMX."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from jointalign.cli.app import run
from jointalign.errors import FormatError
from jointalign.storage.tensors import write_tensors
from jointalign.word_alignment import BayesianAligner, DiagonalAligner, ParallelText
from jointalign.word_alignment.reading import Cutting
from jointalign.word_alignment.storage import read_model, write_model
from jointalign.word_alignment.tmx import read_tmx

CUTTING = Cutting(("en", "de"), tokenized=True)


def planted(seed, sentences=200, words=40):
    """Word a7 is b7; two neighbours of each sentence have changed places."""
    generator = np.random.default_rng(seed)
    pairs, gold = [], []
    for _ in range(sentences):
        source = generator.choice(words, size=generator.integers(4, 9), replace=False)
        order = np.arange(len(source))
        k = generator.integers(len(source) - 1)
        order[[k, k + 1]] = order[[k + 1, k]]
        pairs.append(([f"a{w}" for w in source], [f"b{w}" for w in source[order]]))
        gold.append(order.tolist())
    return pairs, gold


@pytest.mark.parametrize("aligner", [BayesianAligner(sweeps=20), DiagonalAligner()])
def test_a_kept_model_links_other_text_as_before_it_was_kept(tmp_path, aligner):
    learnt = aligner.fit(ParallelText.of(planted(1)[0]))
    write_model(learnt.model, tmp_path / "model", CUTTING)
    write_model(learnt.model, tmp_path / "again", CUTTING)
    assert (tmp_path / "model").read_bytes() == (tmp_path / "again").read_bytes()
    saved = read_model(tmp_path / "model")
    assert saved.cutting == CUTTING
    assert saved.model.settings == aligner
    pairs, gold = planted(2, 3)  # too few to learn anything from
    other = ParallelText.of(pairs)
    for one, two in zip(learnt.model.align(other), saved.model.align(other), strict=True):
        assert one.best.tobytes() == two.best.tobytes()
    assert saved.model.align(other)[0].best.tolist() == [place for one in gold for place in one]


def test_the_diagonal_model_links_its_own_text_as_when_it_was_learnt():
    text = ParallelText.of(planted(3)[0])
    learnt = DiagonalAligner().fit(text)
    for one, two in zip(learnt.ways, learnt.model.align(text), strict=True):
        np.testing.assert_array_equal(one.best, two.best)


def test_counts_are_those_of_all_links():
    text = ParallelText.of(planted(4)[0])
    counts = BayesianAligner(sweeps=4).fit(text).model.counts
    for way, generated in ((counts.forward, text.target), (counts.reverse, text.source)):
        assert way.pairs.sum() + way.null.sum() == pytest.approx(len(generated.tokens), rel=1e-5)
        assert way.fertilities.sum() == pytest.approx(len(generated.tokens), rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors, facts: tensors.pop("reverse.null"), "reverse.null is missing"),
        (lambda tensors, facts: tensors.update(more=np.zeros(1)), "which no model has"),
        (lambda tensors, facts: tensors.update({"forward.null": np.zeros(3, np.float32)}), "has the shape"),
        (lambda tensors, facts: tensors.update(pairs=tensors["pairs"].astype(np.int64)), "has the type"),
        (lambda tensors, facts: tensors.update(pairs=tensors["pairs"][::-1].copy()), "out of order"),
        (lambda tensors, facts: tensors.update(pairs=tensors["pairs"] + 999), "not there"),
        (lambda tensors, facts: tensors.update({"forward.pairs": tensors["forward.pairs"] - 9}), "no count"),
        (lambda tensors, facts: facts.update(method="other"), "no method"),
        (lambda tensors, facts: facts.update(kind="mapping"), "expected a model"),
        (lambda tensors, facts: facts.update(settings='{"chains": 0}'), "chains must"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, change, message):
    write_model(
        BayesianAligner(sweeps=2).fit(ParallelText.of(planted(5, 20)[0])).model, tmp_path / "m", CUTTING
    )
    with safe_open(tmp_path / "m", "numpy") as file:
        tensors, facts = {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata())
    change(tensors, facts)
    write_tensors(tmp_path / "n", tensors, facts)
    with pytest.raises(FormatError, match=message):
        read_model(tmp_path / "n")


def test_the_command_keeps_a_model_and_links_with_it(tmp_path, capsys):
    for name, (pairs, _) in (("old", planted(6)), ("new", planted(7, 2))):
        lines = "".join(f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in pairs)
        (tmp_path / name).write_text(lines)
    out, model = ["--out", str(tmp_path / "links"), "--json"], str(tmp_path / "model")
    old = ["align-text", "--input", str(tmp_path / "old"), "--tokenized", *out]
    assert run([*old, "--sweeps", "20", "--save-model", model]) == 0
    new = ["align-text", "--input", str(tmp_path / "new"), "--model", model, *out]
    capsys.readouterr()
    assert run(new) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["sweeps"] == 20
    expected = [
        " ".join(f"{i}-{j}" for i, j in sorted((i, j) for j, i in enumerate(one))) for one in planted(7, 2)[1]
    ]
    assert (tmp_path / "links").read_text().splitlines() == expected
    assert run([*new, "--sweeps", "3"]) == 2
    assert "--model is used as it is" in capsys.readouterr().err


def unit(*variants):
    return f"<tu>{''.join(f'<tuv xml:lang={code!r}><seg>{text}</seg></tuv>' for code, text in variants)}</tu>"


def test_units_of_both_languages_are_read_and_the_others_counted(tmp_path, caplog):
    units = [
        unit(("en-GB", "A  &lt;<bpt i='1'>x</bpt>house"), ("EN", "the\nhouse"), ("es_ES", "casa")),
        unit(("en", "only")),
        unit(("es", "dos"), ("en-US", "two &#233;")),
    ]
    (tmp_path / "m.tmx").write_text(f"<!DOCTYPE tmx SYSTEM 'tmx14.dtd'><tmx>{''.join(units)}</tmx>", "utf-8")
    assert list(read_tmx(tmp_path / "m.tmx", ("en", "es"))) == [("the house", "casa"), ("two é", "dos")]
    assert "1 of 3 units lack a language" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE tmx [<!ENTITY a 'b'>]><tmx></tmx>", "entity 'a'"),
        ("<!DOCTYPE tmx [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><tmx></tmx>", "entity 'a'"),
        (f"<tmx>{unit(('en', 'a'), ('es', '&what;'))}</tmx>", "undefined entity"),
        ("<html></html>", "starts with <tmx>"),
        ("<tmx><tu>", "line 1"),
        (f"<tmx>{unit(('fr', 'a'), ('es', 'b'))}</tmx>", "no unit has segments"),
    ],
)
def test_what_is_no_safe_memory_is_refused(tmp_path, text, message):
    (tmp_path / "m.tmx").write_text(text)
    with pytest.raises(FormatError, match=message):
        list(read_tmx(tmp_path / "m.tmx", ("en", "es")))
