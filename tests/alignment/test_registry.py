"""A method of another package works wherever ours do; a broken one is one clear error."""

import json

import numpy as np
import pytest

from jointalign import BilingualEmbedding, Embedding, Lexicon, Vocabulary, align, choose, testing, write
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.registry import METHODS, method_named, method_names
from jointalign.cli.app import run
from jointalign.errors import JointalignError
from jointalign.selection.wishes import Wishes
from jointalign.study._rows import Space, rows_named
from toy_package import written


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes a package that registers methods, and lets it be found."""

    def installed(package, **points):
        monkeypatch.syspath_prepend(written(tmp_path / "site", package, **points))

    return installed


@pytest.fixture
def space():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((60, 6)).astype(np.float32)
    x = z @ np.linalg.qr(rng.standard_normal((6, 6)))[0].astype(np.float32)
    sides = [
        Embedding(Vocabulary(tuple(f"{letter}{row}" for row in range(60))), rows)
        for letter, rows in (("s", x), ("t", z))
    ]
    return BilingualEmbedding.separate(*sides), Lexicon(tuple((f"s{i}", f"t{i}") for i in range(40)))


def test_ours_come_first_and_all_can_be_made(install):
    install("zeta", aaa="module:Toy")
    assert method_names()[: len(METHODS)] == tuple(METHODS) and "aaa" in method_names()


def test_it_keeps_the_contract(install):
    install("toys", toy="module:Toy")
    testing.check_aligner(method_named("toy"))


def test_it_aligns_and_is_chosen(install, space):
    install("toys", toy="module:Toy")
    aligned = align(space[0], "toy", space[1])
    np.testing.assert_allclose(
        aligned.source.vectors, align(space[0], "procrustes", space[1]).source.vectors, atol=1e-6
    )
    choice = choose(*space, ["toy", "procrustes"])
    assert [str(trial.method) for trial in choice.trials] == ["Toy, scale 2", "Toy, scale 3", "Procrustes"]
    assert str(choice.method) == "Toy, scale 2"
    assert Wishes("toy", 0.9, {"scale": 3.0}).all_given and not Wishes("toy", 0.9).all_given


def test_the_command_has_its_settings(install, space, tmp_path, capsys):
    install("toys", toy="module:Toy")
    bilingual, lexicon = space
    write(bilingual.source, tmp_path / "s.vec")
    write(bilingual.target, tmp_path / "t.vec")
    (tmp_path / "lexicon.txt").write_text("".join(f"{a} {b}\n" for a, b in lexicon))
    files = ["--source-vectors", "s.vec", "--target-vectors", "t.vec", "--lexicon", "lexicon.txt"]
    files = [str(tmp_path / each) if "." in each else each for each in files]
    assert run(["align", "toy", *files, "--scale", "3", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == {"name": "toy", "scale": 3.0}
    assert run(["align", "--help"]) == 0
    assert "toy" in capsys.readouterr().out


def test_it_is_a_row_of_a_study(install):
    install("toys", toy="module:Toy")
    known, apart, joint = rows_named(("joint-align-toy", "procrustes", "toy", "toy"))[-3:]
    assert known.name == "procrustes"
    assert (apart.name, apart.method, apart.space) == ("joint-align-toy", "toy", Space.REALLOCATED)
    assert (joint.name, joint.method, joint.space) == ("toy", "toy", Space.SEPARATE)
    with pytest.raises(JointalignError, match="no row 'magic'"):
        rows_named(("magic",))


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("broken:Toy", r"'bad' of the package bads cannot be loaded .*a_package_that_nobody_has"),
        ("module:Missing", r"'bad' of the package bads cannot be loaded .*Missing"),
        ("module:NotOne", r"'bad' of the package bads is NotOne, no dataclass from Aligner"),
    ],
)
def test_a_broken_package_is_named(install, point, message, capsys):
    install("bads", bad=point)
    with pytest.raises(JointalignError, match=message):
        method_named("bad")
    assert method_named("procrustes") == Procrustes()
    assert run(["align", "bad", "--out", "x"]) == 2
    told = capsys.readouterr().err
    assert "package bads" in told and "Traceback" not in told
    assert run(["align", "--help"]) == 0  # the others go on working, and it is said which does not
    shown = capsys.readouterr()
    assert "procrustes" in shown.out and "package bads" in shown.err


def test_ours_wins_a_clash_of_names_and_says_so(install, caplog):
    install("clash", rcsls="module:Toy")
    assert type(method_named("rcsls")).__name__ == "RCSLS"
    assert "'rcsls' of clash is not used: jointalign has one of this name" in caplog.text
    assert method_names().count("rcsls") == 1


def test_of_two_packages_one_wins_and_it_is_said_which(install, caplog):
    install("alpha", toy="module:Toy")
    install("beta", toy="module:Toy")
    assert type(method_named("toy")).__name__ == "Toy"
    assert "is not used" in caplog.text and "alpha" in caplog.text and "beta" in caplog.text
