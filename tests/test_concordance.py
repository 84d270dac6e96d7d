"""Concordances: every occurrence of every word, in lines that are as they were written, or an error."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.cli.app import run
from jointalign.concordance import Concordance, Passage
from jointalign.corpora import corpus as corpus_module
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import encode
from jointalign.corpora.tokenization import Spelling, tokenizer
from jointalign.errors import JointalignError

PIECES = [
    *["The", "house,", "HOUSE", "(house)", "it’s", "l’homme", "—", "\u00ad", "\u200b", "u.s.", "3,000-4,000"],
    *[
        "क्षेत्र",
        "می\u200cخواهم",
        "שָׁלוֹם",
        "за\u0301мок",
        "İstanbul’un",
        "e\u0301te\u0301",
        "été",
        "我们喜欢",
        "ราคา",
        "👍🏽",
    ],
    *["don't", "word_word", "well-known", "house’s", "'tis", "ﬁne", "ß", "\ufeff", "x" * 30],
]


def indexed(folder, *texts, language="en", suffix=".txt", **settings):
    folder.mkdir(exist_ok=True)
    paths = []
    for place, text in enumerate(texts):
        paths.append(folder / f"{place}{suffix}")
        data = text if isinstance(text, bytes) else text.encode()
        paths[-1].write_bytes(gzip.compress(data) if suffix == ".txt.gz" else data)
    corpus = Corpus(paths, language, **settings)
    encode(corpus, folder / "encoded")
    return Concordance.of(corpus, folder / "encoded")


def expected(lines, word, corpus):
    """Numbers and lines that hold a word, by cutting every line."""
    cut = tokenizer(corpus.language, corpus.lowercase, corpus.tokenized)
    return [(number, line) for number, line in enumerate(lines, 1) if word in cut(line)]


@pytest.mark.parametrize("language", ["en", "fr", "he", "ru", "tr", "hi", "und"])
@pytest.mark.parametrize("tokenized", [False, True])
@settings(max_examples=20)
@given(lines=st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join), min_size=1, max_size=8))
def test_every_word_of_every_script_is_where_brute_force_finds_it(
    tmp_path_factory, language, tokenized, lines
):
    lines = ["start", *lines]
    folder = tmp_path_factory.mktemp("text")
    found = indexed(folder, "\n".join(lines), language=language, tokenized=tokenized)
    spell = Spelling(language).speller()
    cut = tokenizer(language, tokenized=tokenized)
    words = [word for line in lines for word in cut(line)]
    for word in set(words):
        passages = list(found.passages(word))
        assert [(one.number, one.text) for one in passages] == expected(lines, word, found.corpus)
        assert found.count(word) == words.count(word) == sum(len(one.spans) for one in passages)
        for one in passages:
            for first, last in one.spans:
                assert (spell(one.text[first:last]) or one.text[first:last]) == word
    assert found.count("nowhere") == 0 and list(found.passages("nowhere")) == [] == found.best("nowhere")


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_line_ends_marks_and_compression_change_nothing(tmp_path, suffix, end, start):
    texts = ["One house.\n\n \n— … \nTwo  houses, a HOUSE\n", "\nhouse of cards"]
    raw = [start + text.replace("\n", end) for text in texts]
    found = indexed(tmp_path, *raw, suffix=suffix)
    facts = [(one.path[-len(suffix) - 1], one.number, one.text) for one in found.passages("house")]
    assert facts == [("0", 1, "One house."), ("0", 5, "Two  houses, a HOUSE"), ("1", 2, "house of cards")]
    assert [one.number for one in found.passages("…")] == [4]


def test_a_line_that_was_cut_is_shown_in_the_pieces_that_were_encoded(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "LONGEST_LINE", 100)
    monkeypatch.setattr("jointalign.concordance.LONGEST_LINE", 100)
    line = "\ufeff" + " ".join(f"w{i} house" for i in range(60))
    found = indexed(tmp_path, f"{line}\nshort house\n")
    passages = list(found.passages("house"))
    assert "".join(one.text for one in passages[:-1]) == line[1:] and len(passages) > 5
    assert {one.number for one in passages[:-1]} == {1} and passages[-1].number == 2
    assert sum(len(one.spans) for one in passages) == found.count("house") == 61


def test_case_is_as_the_corpus_has_it(tmp_path):
    text = "House house HOUSE"
    lower = indexed(tmp_path / "lower", text)
    kept = indexed(tmp_path / "kept", text, lowercase=False)
    assert [lower.count(word) for word in ("house", "House", "HoUsE")] == [3, 3, 3]
    assert [kept.count(word) for word in ("house", "House", "HoUsE")] == [1, 1, 0]


def test_the_index_is_made_once_and_again_for_another_text_or_where_damaged(tmp_path):
    found = indexed(tmp_path, "the old house\nthe house\n")
    folder = tmp_path / "encoded" / "concordance"
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = Concordance.of(found.corpus, tmp_path / "encoded")
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == times
    np.testing.assert_array_equal(again.positions, found.positions)
    positions, lines = np.array(found.positions), np.array(found.lines)
    for name in ("positions.bin", "lines.bin"):
        data = bytearray((folder / name).read_bytes())
        data[0] ^= 1
        (folder / name).write_bytes(data)
        mended = Concordance.of(found.corpus, tmp_path / "encoded")
        np.testing.assert_array_equal(mended.positions, positions)
        np.testing.assert_array_equal(mended.lines, lines)
    corpus = indexed(tmp_path, "another house, a house\n").corpus
    assert Concordance.of(corpus, tmp_path / "encoded").count("house") == 2


def test_positions_are_those_of_a_sort(tmp_path):
    words = np.random.default_rng(0).integers(0, 40, 3000)
    text = "\n".join(" ".join(f"w{word}" for word in line) for line in words.reshape(-1, 10))
    found = indexed(tmp_path, text)
    np.testing.assert_array_equal(found.positions, np.argsort(found.encoded.tokens, kind="stable"))


CHANGES = {
    "other words": lambda path: path.write_text("The old mouse.\nA tree.\n"),
    "shorter": lambda path: path.write_text("The"),
    "empty": lambda path: path.write_text(""),
    "longer": lambda path: path.write_text("The old house.\nA tree.\nMore\n"),
    "no text": lambda path: path.write_bytes(b"\xff" * 23),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("made", [True, False])
def test_a_text_that_has_changed_or_gone_is_one_clear_line(tmp_path, change, made):
    found = indexed(tmp_path, "The old house.\nA tree.\n")
    if not made:
        (tmp_path / "encoded" / "concordance" / "info.json").unlink()
    CHANGES[change](tmp_path / "0.txt")
    with pytest.raises(JointalignError, match=r"0\.txt: the text is gone or has changed.*make the run again"):
        list(Concordance.of(found.corpus, tmp_path / "encoded").passages("house"))


def test_a_compressed_text_is_shown_from_its_copy_when_it_has_gone(tmp_path):
    found = indexed(tmp_path, "The old house.\n", suffix=".txt.gz")
    (tmp_path / "0.txt.gz").unlink()
    (one,) = Concordance.of(found.corpus, tmp_path / "encoded").passages("house")
    assert one.text == "The old house."


def test_a_text_may_change_case_or_time_alone(tmp_path):
    found = indexed(tmp_path, "The old house.\n")
    (tmp_path / "0.txt").write_text("THE OLD HOUSE.\n")
    (one,) = Concordance.of(found.corpus, tmp_path / "encoded").passages("house")
    assert (one.text, one.spans) == ("THE OLD HOUSE.", ((8, 13),))


def test_good_examples_are_short_typical_and_different(tmp_path):
    noise = np.random.default_rng(1)
    filler = [" ".join(f"f{i}" for i in noise.integers(0, 300, 12)) for _ in range(2000)]
    typical = [
        "the ship left its harbour in the morning under f1 f2 sail",
        "f3 f4 a harbour for every ship on this coast",
    ]
    long = " ".join(["ship harbour sail", *(f"f{i}" for i in range(200))])
    odd = [f"ship zq{i} zr{i} zs{i} zt{i} zu{i} zv{i} zw{i} zx{i} zy{i}" for i in range(40)]
    lines = [*filler, *(typical * 10), long, long + " f0", "ship", "ship", *odd]
    noise.shuffle(lines)
    found = indexed(tmp_path, "\n".join(lines))
    best = found.best("ship", 2)
    assert {one.text for one in best} == set(typical)
    five = [one.text for one in found.best("ship", 5)]
    assert len(set(five)) == 5 and not any(len(text) > 200 for text in five)
    assert found.best("ship", 5) == found.best("ship", 5)
    assert len(found.best("harbour", 50)) == 3  # the long ones are alike around the word


def test_segments_put_together_are_the_line(tmp_path):
    text = "a house, " * 30 + "the end"
    spans = tuple((place, place + 5) for place in range(len(text)) if text.startswith("house", place))
    passage = Passage("en.txt", 1, text, spans)
    assert "".join(piece for piece, _ in passage.segments()) == text
    assert sum(marked for _, marked in passage.segments()) == 30
    short = Passage("en.txt", 1, text, spans[15:]).segments(20)
    joined = "".join(piece for piece, _ in short)
    assert joined.strip("…") in text and joined[0] == joined[-1] == "…" and len(joined) < 50
    assert ("house", True) in short


@pytest.fixture
def folder(tmp_path):
    settings = {"tokenized": False, "lowercase": True}
    for side, language, text in [
        ("source", "en", "A house.\nThe old house\x1b[2J\n"),
        ("target", "es", "La casa\n"),
    ]:
        path = tmp_path / f"{language}.txt"
        path.write_text(text)
        encode(Corpus(path, language), tmp_path / "run" / side)
        settings |= {side: str(path), f"{side}_language": language}
    (tmp_path / "run" / "settings.json").write_text(json.dumps(settings))
    return tmp_path / "run"


def test_the_command_shows_lines_of_both_texts(folder, capsys):
    assert run(["concordance", str(folder), "House", "--in-order"]) == 0
    shown = capsys.readouterr().out
    assert (
        "        1: A [house].\n        2: The old [house]\\x1b[2J\n" in shown
        and "target, es: 0 times" in shown
    )
    assert run(["concordance", str(folder), "casa", "--side", "target", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    passage = {"path": str(folder.parent / "es.txt"), "line": 1, "text": "La casa", "spans": [[3, 7]]}
    assert facts == {"word": "casa", "target": {"count": 1, "passages": [passage]}}


def test_the_command_says_what_is_missing(folder, tmp_path, capsys):
    assert run(["concordance", str(tmp_path), "house"]) == 2
    assert "no run here; finish `jointalign run" in capsys.readouterr().err
    (folder.parent / "es.txt").unlink()
    assert run(["concordance", str(folder), "casa"]) == 2
    assert "es.txt: the text is gone or has changed" in capsys.readouterr().err
