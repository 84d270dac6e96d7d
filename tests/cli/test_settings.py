"""Options that are made from settings: all of them, with their defaults, from the line or a file."""

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import pytest
import typer

from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.rcsls import RCSLS
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.cli.app import COMMANDS, application, run
from jointalign.contextual import PretrainingSettings
from jointalign.contextual.tagging import FEATURE_FIT, FEATURE_TAGGER
from jointalign.errors import JointalignError
from jointalign.ner import TaggerFitSettings as TaggingFit
from jointalign.ner import TaggerSettings
from jointalign.study import FigureSettings
from jointalign.training.cbow import CBOW
from jointalign.training.skipgram import SkipGram
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.vectors import VectorSettings
from jointalign.word_alignment import BayesianAligner, DiagonalAligner

VECTORS = {"epochs": "vector-epochs", "learning-rate": "vector-rate"}


def command_of(words):
    found = typer.main.get_command(application)
    for word in words.split():
        found = found.get_command(typer.Context(found), word)
        assert found is not None, words
    return found


def flags_of(words):
    return {flag: option for option in command_of(words).params for flag in option.opts}


def expected_flags(settings, prefix=""):
    """Straight from the dataclass: one for each field, those of a dataclass inside with its name before."""
    for one in dataclasses.fields(settings):
        name = prefix + one.name.replace("_", "-")
        if one.name == "noise" and settings is TranslationFitSettings:
            yield from (f"{name}-{inner}" for inner in ("shuffle", "drop", "blank"))
        elif (settings, one.name) not in ((VectorSettings, "trainer"), (VectorSettings, "lowercase")):
            yield name


@pytest.mark.parametrize(
    ("words", "settings", "renamed"),
    [
        ("train", SkipGram, {}),
        ("train", CBOW, {}),
        ("run", SkipGram, {}),
        ("study table1", SkipGram, {}),
        ("study table2", SkipGram, {}),
        ("study table4", SkipGram, {}),
        ("study table3", SkipGram, VECTORS),
        ("study table3", TaggingFit, {}),
        ("study table3", TaggerSettings, {}),
        ("study figure2", Shape, {}),
        ("study figure2", TranslationFitSettings, {}),
        ("study figure2", VectorSettings, {}),
        ("mt train", Shape, {}),
        ("mt train", TranslationFitSettings, {}),
        ("mt train", VectorSettings, {}),
        ("ner train", TaggingFit, {}),
        ("ner train", TaggerSettings, {"layers": "tagger-layers"}),
        ("pretrain", PretrainingSettings, {}),
        ("align-text", BayesianAligner, {}),
        ("align-text", DiagonalAligner, {}),
        ("align rcsls", RCSLS, {}),
        ("align rcsls_iterative", RCSLS, {}),
        ("align geomm", GeoMM, {}),
    ],
)
def test_every_setting_is_an_option(words, settings, renamed):
    flags = flags_of(words)
    assert "--settings" in flags
    for name in expected_flags(settings):
        option = flags[f"--{renamed.get(name, name)}"]
        assert option.default is None, "what is not given must not hide the settings file"
        text = option.help or ""
        assert text.endswith("]") and not text.startswith(" ["), f"{name}: no help or no default"


def test_run_can_set_what_would_be_chosen():
    assert {"--alignment-rate", "--steps", "--regularization"} <= set(flags_of("run"))


def test_defaults_are_shown_with_what_they_depend_on():
    flags = flags_of("ner train")
    epochs = f"[{TaggingFit().epochs}; --encoder: {FEATURE_FIT.epochs}; --fine-tune: 3; x>=1]"
    assert flags["--epochs"].help.endswith(epochs)
    hidden = f"[{TaggerSettings().hidden}; --encoder: {FEATURE_TAGGER.hidden}; x>=1]"
    assert flags["--hidden"].help.endswith(hidden)
    assert flags_of("mt train")["--heads"].help.endswith("[4; published: 8; x>=1]")
    assert flags_of("mt train")["--denoising"].help.endswith(
        "[0:1,1500:0.1; published: 0:1,100000:0.1,300000:0; tiny: 0:1,300:0.1]"
    )
    assert flags_of("train")["--learning-rate"].help.endswith("[0.05; 0<x<10]")
    assert flags_of("ner train")["--dropout"].help.endswith("[0.5; --fine-tune: 0.1; 0<=x<1]")


def test_help_shows_no_example(capsys):
    assert run(["align", "rcsls", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Gradient descent on the relaxed CSLS loss" in shown
    assert ">>>" not in shown
    assert "Raises" not in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_own_help_says(name):
    assert command_of(name).get_short_help_str(200).rstrip(".") == COMMANDS[name].rstrip(".")


class Kind(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True)
class Inner:
    """Inside.

    Args:
        share: Of something.
    """

    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    """Some settings.

    Args:
        count: How many.
        limit: The most.
        kind: Which.
        inner: More.
        quiet: Whether.
    """

    count: int = 3
    limit: float | None = 2.0
    kind: Kind = Kind.SMALL
    inner: Inner = field(default_factory=Inner)
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.count < 1:
            raise JointalignError(f"count must be at least 1, got {self.count}")


found: list = []


@with_settings(outer=Options(Outer()))
def one(outer: Outer, name: Annotated[str, typer.Option(help="Any.")] = "n") -> None:
    """Takes one object."""
    found.append(outer)


@with_settings(outer=Options(Outer()), inner=Options(Inner()))
def two(outer: Outer, inner: Inner) -> None:
    """Takes two."""
    found.append((outer, inner))


def made(arguments, command=one):
    """What a command gets."""
    app = typer.Typer()
    app.command()(command)
    found.clear()
    typer.main.get_command(app).main(arguments, standalone_mode=False)
    return found[0]


def test_options_become_settings():
    assert made([]) == Outer()
    given = "--count 4 --limit none --kind large --inner-share 0.25 --quiet".split()
    assert made(given) == Outer(4, None, Kind.LARGE, Inner(0.25), True)
    assert made(["--limit", "1", "--no-quiet"]) == Outer(limit=1.0)


def test_the_line_has_precedence_over_the_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('count = 5\nlimit = "none"\nkind = "large"\nquiet = true\n[inner]\nshare = 1\n')
    wanted = Outer(5, None, Kind.LARGE, Inner(1.0), True)
    assert made(["--settings", str(file)]) == wanted
    line = ["--settings", str(file), "--count", "6", "--inner-share", "0.75", "--no-quiet"]
    assert made(line) == dataclasses.replace(wanted, count=6, inner=Inner(0.75), quiet=False)
    assert plain(wanted)["inner"] == {"share": 1.0}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("cuont = 5", "no setting 'cuont'; there are count, limit, kind, inner.share, quiet"),
        ("[inner]\nshape = 1", "no setting 'inner.shape'"),
        ("inner = 1", "no setting 'inner'"),
        ("count = 2.5", "count ({file}): expected a whole number, got 2.5"),
        ("count = true", "count ({file}): expected a whole number, got True"),
        ('limit = "much"', "limit ({file}): expected a number or none, got 'much'"),
        ('kind = "tiny"', "kind ({file}): expected small or large, got 'tiny'"),
        ("quiet = 1", "quiet ({file}): expected true or false, got 1"),
        ("count = 0", "count ({file}) must be at least 1, got 0"),
        ("count = ", "expected settings in TOML"),
        (b"count = 3 # \xff", "expected settings in TOML"),
    ],
)
def test_a_bad_file_says_where(tmp_path, content, expected):
    file = tmp_path / "mine.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(JointalignError) as error:
        made(["--settings", str(file)])
    assert str(file) in str(error.value)
    assert expected.format(file=file) in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--count", "0"], "--count must be at least 1, got 0"),
        (["--limit", "much"], "--limit: expected a number or none, got 'much'"),
    ],
)
def test_a_bad_value_names_its_option(arguments, expected):
    with pytest.raises(JointalignError, match=expected):
        made(arguments)


def test_several_settings_are_tables(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[outer]\ncount = 7\n[inner]\nshare = 0.1\n")
    assert made(["--settings", str(file), "--share", "0.2"], two) == (Outer(7), Inner(0.2))
    file.write_text("count = 7\n")
    with pytest.raises(JointalignError, match="expected the tables outer, inner, got 'count'"):
        made(["--settings", str(file)], two)


def test_changes_know_which_settings_there_are():
    changes = Changes({"shared_noise": 2}, {"shared_noise": "--shared-noise"})
    assert changes.over(SkipGram()).shared_noise == 2
    with pytest.raises(JointalignError, match="--shared-noise: CBOW has no such setting"):
        changes.over(CBOW())


def said(capsys, *arguments):
    assert run([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_training_with_a_settings_file(tmp_path, capsys):
    text, file = tmp_path / "a.en.txt", tmp_path / "mine.toml"
    text.write_text("the cat saw the dog and the bird\n" * 20)
    file.write_text('dimensions = 8\nepochs = 1\nbuckets = 50\nbalance = "none"\n')
    common = ["train", "--input", text, "--threads", "1", "--settings", file]
    facts = said(capsys, *common, "--out", tmp_path / "a.safetensors", "--dimensions", "6")
    assert facts["dimensions"] == facts["settings"]["dimensions"] == 6
    assert facts["settings"] == dataclasses.asdict(SkipGram(6, epochs=1, buckets=50, balance="none"))
    file.write_text("".join(f"{k} = {v!r}\n" for k, v in facts["settings"].items()))
    again = said(capsys, *common, "--out", tmp_path / "b.safetensors")
    assert again["settings"] == facts["settings"], "what is shown can be given"
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    file.write_text("dimensions = 8\nepochs = 1\n")
    facts = said(capsys, *common, "--out", tmp_path / "c.safetensors", "--model", "cbow")
    assert facts["ngrams"] == 0
    assert facts["settings"] == dataclasses.asdict(CBOW(8, epochs=1))


def test_alignment_with_a_settings_file(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text("regularization = -1\n")
    arguments = ["align", "geomm", "--lexicon", "l.txt", "--source-vectors", "a.vec", "--settings", str(file)]
    assert run([*arguments, "--target-vectors", "b.vec", "--out", str(tmp_path / "out")]) == 2
    assert "mine.toml) must be above 0, got -1.0" in capsys.readouterr().err


def told(monkeypatch, name, *arguments):
    """What a command gives to the function of the library that would do the work."""
    given = []

    def caught(*values, **_):
        given.extend(values)
        raise JointalignError("enough")

    monkeypatch.setattr(name, caught)
    assert run([*map(str, arguments)]) == 2
    assert given, "the function was not called"
    return given


def test_figure2_takes_shorthands_and_presets(monkeypatch, tmp_path):
    figure = ["study", "figure2", "--out", tmp_path]

    def settings(*more):
        return told(monkeypatch, "jointalign.study.figure_two", *figure, *more)[0]

    plainly = settings("--data", tmp_path)
    assert (plainly.shape, plainly.fit) == (Shape.small(), TranslationFitSettings.small())
    assert plainly.epochs == 20
    line = "--dimensions 128 --heads 2 --layers 3 --shared 2 --denoising 0:1,800:0.1".split()
    given = settings("--data", tmp_path, *line, "--shared-decoder-layers", "1")
    assert given.shape == Shape(128, 512, 2, 3, 3, 2, 1)
    assert given.fit.denoising.points == ((0, 1.0), (800, 0.1))
    assert given.vectors.trainer.dimensions == 128
    quick = settings("--quick")
    assert quick == FigureSettings.toy(tmp_path / "data")
    assert f"; --quick: {quick.vectors.pieces};" in flags_of("study figure2")["--pieces"].help
    changed = settings("--quick", "--pieces", "900", "--epochs", "2")
    assert changed == dataclasses.replace(
        quick, vectors=dataclasses.replace(quick.vectors, pieces=900), epochs=2
    )


def test_table3_takes_presets(monkeypatch, tmp_path):
    table = ["study", "table3", "--data", tmp_path, "--out", tmp_path, "--languages", "es"]
    settings, tagging = told(monkeypatch, "jointalign.study.table3", *table)[:2]
    assert (settings.trainer, tagging.fit) == (SkipGram(), TaggingFit())
    quick = [*table, "--quick", "--vector-epochs", "2", "--patience", "none", "--vector-rate", "0.1"]
    settings, tagging = told(monkeypatch, "jointalign.study.table3", *quick)[:2]
    assert settings.trainer == SkipGram(50, epochs=2, learning_rate=0.1)
    assert tagging.fit == TaggingFit(4, patience=None)


def test_sizes_of_translation_models_can_be_changed(monkeypatch, tmp_path):
    pytest.importorskip("sacrebleu")
    (tmp_path / "a.txt").write_text("a b c\n")
    texts = ["--source", tmp_path / "a.txt", "--target", tmp_path / "a.txt"]
    codes = ["--source-language", "en", "--target-language", "de", "--out", tmp_path / "out"]
    line = [*texts, *codes, "--size", "tiny", "--heads", "2", "--noise-drop", "0.3", "--device", "cpu"]
    given = told(monkeypatch, "jointalign.translation.job.train_from_texts", "mt", "train", *line)[3]
    assert given.shape == dataclasses.replace(Shape.tiny(), heads=2)
    noise = dataclasses.replace(TranslationFitSettings.tiny().noise, drop=0.3)
    assert given.fit == dataclasses.replace(TranslationFitSettings.tiny(), noise=noise)
    assert given.vectors.trainer.dimensions == 96


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[alignment]\nsteps = 3\n", "procrustes has no steps ({file})"),
        ("[trainer]\ndimensions = 0\n", "dimensions ({file}) must be at least 1, got 0"),
        (
            "[trainer]\nlearningrate = 0.1\n",
            "{file}: no setting 'learningrate'; there are dimensions, window",
        ),
        ("dimensions = 0\n", "{file}: expected the tables alignment, trainer, got 'dimensions'"),
    ],
)
def test_a_run_names_what_is_wrong_with_its_file(tmp_path, capsys, content, expected):
    file = tmp_path / "mine.toml"
    file.write_text(content)
    arguments = ["run", "--source", "a", "--target", "b", "--out", tmp_path / "out", "--settings", file]
    assert run([*map(str, arguments), "--method", "procrustes"]) == 2
    assert expected.format(file=file) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_relation_of_settings_names_the_options(tmp_path, capsys):
    text = tmp_path / "a.txt"
    text.write_text("a b c\n")
    arguments = ["train", "--input", str(text), "--out", str(tmp_path / "out.vec"), "--minimum-ngram", "7"]
    assert run(arguments) == 2
    assert "must satisfy --minimum-ngram <= maximum_ngram" in capsys.readouterr().err
