import bz2
import gzip
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.corpora.tokenization import Spelling, tokenizer
from jointalign.dictionary.api import Translation, write_tsv
from jointalign.errors import FormatError, JointalignError
from jointalign.lexicon import Lexicon, LexiconReport
from jointalign.vocabulary import Vocabulary


def read(tmp_path, text, **options):
    path = tmp_path / "lexicon.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Lexicon.read(path, **options)


# Reading


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("house casa\n", [("house", "casa")]),
        ("house\tcasa", [("house", "casa")]),
        ("house   casa  \n", [("house", "casa")]),
        ("house \t casa \n", [("house", "casa")]),
        (b"\xef\xbb\xbfhouse casa\r\ndog perro\r\n", [("house", "casa"), ("dog", "perro")]),
        ("house\tcasa\thogar\n", [("house", "casa"), ("house", "hogar")]),
        ("house\tcasa\t\thogar\t\n", [("house", "casa"), ("house", "hogar")]),
        ("house\tcasa, hogar\n", [("house", "casa"), ("house", "hogar")]),
        ("house\tcasa;hogar|piso\n", [("house", "casa"), ("house", "hogar"), ("house", "piso")]),
        ("house casa, hogar\n", [("house", "casa"), ("house", "hogar")]),
        ("house casa,hogar,\n", [("house", "casa"), ("house", "hogar")]),
        ("House CASA\n", [("house", "casa")]),
        ("mañana 明日\n", [("mañana", "明日")]),
        # signs that are words
        ("#the #le\n", [("#the", "#le")]),
        ("# #\n", [("#", "#")]),
        ("#\tnúmero\n", [("#", "número")]),
        (", ,\n", [(",", ",")]),
        ("; ;)\n", [(";", ";)")]),
        ("1,000 1,000\n", [("1,000", "1,000")]),
        ("1984\t1984\n", [("1984", "1984")]),
        # a score after the translation
        ("house\tcasa\t0.8312\n", [("house", "casa")]),
        ("pi\t3.14\n", [("pi", "3.14")]),
        ("three\tdrei\t3\n", [("three", "drei")]),
    ],
)
def test_pairs_of_a_file(tmp_path, text, pairs):
    lexicon = read(tmp_path, text)
    assert list(lexicon) == pairs
    assert len(lexicon) == lexicon.report.pairs == len(pairs)


HOUSE_AND_SUN = [("house", "casa"), ("sun", "sol")]


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        # numbers
        ("house\tcasa\t123\nsun\tsol\t7\n", {"scores": 2}),
        ("house\tcasa\t1e-05\nsun\tsol\t2E+3\n", {"scores": 2}),
        ("house\tcasa\t0,93\nsun\tsol\t-1,5\n", {"scores": 2}),
        ("house\tcasa\t93 %\nsun\tsol\t7%\n", {"scores": 2}),
        ("house\tcasa\t1,024\nsun\tsol\t7\n", {"scores": 2}),
        ("house\tcasa\t12\t0.5\t3\nsun\tsol\t7\t\t1\n", {"scores": 5}),
        ("1\thouse\tcasa\n2\tsun\tsol\n", {"scores": 2}),
        ("house\t0.5\tcasa\nsun\t.25\tsol\n", {"scores": 2}),
        ("house casa 0.93\nsun sol 1e-05\n", {"scores": 2}),
        (
            "house ||| casa ||| 0.5 0.3 1 ||| 0-0\nsun ||| sol ||| 1 1 1 ||| 0-0\n",
            {"scores": 2, "annotations": 2},
        ),
        ("0.93 house casa\n1e-05 sun sol\n", {"scores": 2}),
        ("1. house casa\n2. sun sol\n", {"scores": 2}),
        ("1) house casa\n2) sun sol\n", {"scores": 2}),
        # parts of speech, codes
        ("house\tcasa\tnoun\nsun\tsol\tnoun\n", {"annotations": 2}),
        ("house\tn.\tcasa\nsun\tn. sg\tsol\n", {"annotations": 2}),
        ("house\tcasa\tNOUN\tf\nsun\tsol\tNOUN\tm\n", {"annotations": 4}),
        ("house\tcasa\t<n><f>\nsun\tsol\t[n.m.]\n", {"annotations": 2}),
        ("house\tcasa\tQ3947\nsun\tsol\tn02958343\n", {"annotations": 2}),
        ("house\tcasa\tbn:00044994n\nsun\tsol\t2020-11-05\n", {"annotations": 2}),
        ("en\thouse\tes\tcasa\nen\tsun\tes\tsol\nen\tsun\tes\tsol\n", {"annotations": 6, "duplicates": 1}),
        (
            "eng-000\thouse\tspa-000\tcasa\t9\neng-000\tsun\tspa-000\tsol\t7\n"
            "eng-000\tsun\tspa-000\tsol\t5\n",
            {"annotations": 6, "scores": 3, "duplicates": 1},
        ),
        # the same few values again and again
        ("house\tcasa\tbuilding\nsun\tsol\tsky\n" * 2, {"annotations": 4, "duplicates": 2}),
        # notes
        ("house {n}\tcasa {f}\nsun [astron.]\tsol\n", {"annotations": 3}),
        ("house (building)\tcasa\n(the) sun\tsol (el)\n", {"annotations": 3}),
        ("house<n><sg>\tcasa<n><f><sg>\nsun<n>\tsol<n>\n", {"annotations": 4}),
        ("house\tcasa\t[archi.]\nsun\tsol\t[astron.] [obs.]\n", {"annotations": 2}),
        # sounds
        ("house\tcasa\tˈka.sa\nsun\tsol\tˈsol\n", {"annotations": 2}),
        ("house\tcasa\t/ˈkasa/\nsun\tsol\t/ˈsol/\n", {"annotations": 2}),
        # titles
        ("id\ten\tes\tscore\n1\thouse\tcasa\t.9\n2\tsun\tsol\t.8\n", {"header": 1, "scores": 4}),
        ("No\tEnglisch\tSpanisch\n1\thouse\tcasa\n2\tsun\tsol\n", {"header": 1, "scores": 2}),
        ("eng\tspa\nhouse\tcasa\nsun\tsol\n", {"header": 1}),
        ("en-US\tes_ES\nhouse\tcasa\nsun\tsol\n", {"header": 1}),
        (
            "source\ttarget\tscore\tmargin\trank\nhouse\tcasa\t1\t\t1\nsun\tsol\t1\t0.5\t2\n",
            {"header": 1, "scores": 5},
        ),
        ("English\tSpanish\nhouse\tcasa\nsun\tsol\n", {"header": 1}),
        ("en\tes\nhouse\tcasa\nsun\tsol\n", {"header": 1}),
        ("word translation\nhouse casa\nsun sol\n", {"header": 1}),
        ("# EN-ES vocabulary database\tcompiled\nhouse\tcasa\nsun\tsol\n", {"blank_or_comment": 1}),
    ],
)
def test_what_stands_beside_a_pair_is_no_translation(tmp_path, text, left_out):
    lexicon = read(tmp_path, text)
    assert list(lexicon) == HOUSE_AND_SUN
    facts = asdict(lexicon.report)
    names = ("scores", "annotations", "header", "duplicates", "blank_or_comment")
    assert {name: facts[name] for name in names if facts[name]} == left_out
    assert lexicon.report.malformed_count == lexicon.report.multiword == 0
    for name, count in left_out.items():
        assert str(count) in str(lexicon.report), name


def test_a_colon_after_every_word_is_a_separator(tmp_path):
    assert list(read(tmp_path, "house: casa\nsun: sol\n")) == HOUSE_AND_SUN
    assert list(read(tmp_path, "house: casa\nsun sol\n")) == [("house:", "casa"), ("sun", "sol")]


def test_entries_between_slashes(tmp_path):
    """CC-CEDICT and EDICT: spellings, a reading in brackets, and glosses with notes."""
    text = (
        "# CC-CEDICT\n#! version=1\n家 家 [jia1] /home/(loc) family/CL:個|个[ge4]/\n太陽 太阳 [tai4] /sun/\n"
    )
    pairs = [("家", "home"), ("家", "family"), ("太陽", "sun"), ("太阳", "sun")]
    assert list(read(tmp_path, text)) == pairs
    text = "家 [いえ] /(n) house/at home/\n太陽 /(n) sun/(P)/\n"
    lexicon = read(tmp_path, text)
    assert list(lexicon) == [("家", "house"), ("太陽", "sun")] and lexicon.report.multiword == 1


@pytest.mark.parametrize(
    "text",
    [
        "<?xml version='1.0'?>\n<tei><orth>house</orth></tei>\n",
        "<html><td>house</td></html>\n",
        "<!DOCTYPE html>\nhouse casa\n",
        "{\\rtf1 house casa}\n",
        '{"house": "casa"}\n',
        '[["house", "casa"]]\n',
    ],
)
def test_documents_are_no_dictionaries(tmp_path, text):
    with pytest.raises(FormatError, match="line 1: this is a document"):
        read(tmp_path, text)


@pytest.mark.parametrize("mark", [",", ";"])
def test_commas_in_a_file_that_is_not_named_so_are_hinted_at(tmp_path, mark):
    with pytest.raises(FormatError, match=r"call the file \.csv"):
        read(tmp_path, f"house{mark}casa\nsun{mark}sol\n")


@pytest.mark.parametrize("separator", [";", ",", "|", "/", "、", "；", "，", "،", " / ", "; ", "｜"])
def test_several_words_in_either_field(tmp_path, separator):
    words = [("house", "casa"), ("house", "hogar"), ("home", "casa"), ("home", "hogar"), ("sun", "sol")]
    text = f"house{separator}home\tcasa{separator}hogar\nsun\tsol\n"
    assert list(read(tmp_path, text)) == words
    if separator != "/":
        blank = f"house{separator}home casa{separator}hogar\nsun sol\n"
        assert list(read(tmp_path, blank)) == words


@pytest.mark.parametrize("word", ["km/h", "1/2", "1,000", "y/o", "3,5", "a.m."])
def test_marks_inside_a_word_part_nothing(tmp_path, word):
    assert list(read(tmp_path, f"{word}\t{word}\n")) == [(word, word)]


@pytest.mark.parametrize("mark", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u2067"])
def test_invisible_characters_are_no_part_of_an_entry(tmp_path, mark):
    lexicon = read(tmp_path, f"cat\tgato{mark}\n{mark}dog\tperro\n{mark} sun\t{mark}sol\u00a0\n")
    assert list(lexicon) == [("cat", "gato"), ("dog", "perro"), ("sun", "sol")]
    assert lexicon.report.respelt == 3


def test_numbers_and_names_of_tags_are_words_where_they_are_all_there_is(tmp_path):
    assert list(read(tmp_path, "1984\t1984\t7\n2001\t2001\t3\n")) == [("1984", "1984"), ("2001", "2001")]
    assert list(read(tmp_path, "noun\tnombre\nverb\tverbo\n")) == [("noun", "nombre"), ("verb", "verbo")]
    assert list(read(tmp_path, "top ten 10\nhouse casa\nsun sol\n")) == HOUSE_AND_SUN


def test_an_export_is_read_back_as_it_was_written(tmp_path):
    entries = [
        Translation("house", "1", 0.5, 0.25, 1),
        Translation("house", "casa", 0.25, 1e-05, 2),
        Translation("2", "2", 1.0, None, 1),
    ]
    write_tsv(entries, tmp_path / "dictionary.tsv")
    lexicon = Lexicon.read(tmp_path / "dictionary.tsv")
    assert list(lexicon) == [(entry.source, entry.target) for entry in entries]
    assert lexicon.report.header == 1


# Meeting vocabularies


@pytest.mark.parametrize(
    ("language", "entry", "word"),
    [
        ("de", "haus", "Haus"),
        ("fr", "aujourd’hui", "aujourd’hui"),
        ("fr", "aujourd'hui", "aujourd’hui"),
        ("fr", "rendez‐vous", "rendez‐vous"),
        ("hi", "\u0958लम", "\u0958लम"),
        ("und", "cafe\u0301", "café"),
        ("und", "café", "cafe\u0301"),
        ("tr", "ışık", "IŞIK"),
        ("tr", "i\u0307stanbul", "istanbul"),
        ("az", "QIZIL", "qızıl"),
        ("ru", "замок", "за\u0301мок"),
        ("und", "👨‍👩‍👧", "👨‍👩‍👧"),
        ("und", "❤", "❤️"),
    ],
)
def test_an_entry_finds_the_word_that_is_spelt_like_it(tmp_path, language, entry, word):
    path = tmp_path / "lexicon.txt"
    path.write_text(f"{entry}\tx\n", "utf-8")
    lexicon = Lexicon.read(path, source_language=language)
    vocabulary, other = Vocabulary(("a", word)), Vocabulary(("x",))
    assert lexicon.rows(vocabulary, other).tolist() == [[1, 0]]
    assert lexicon.reversed().rows(other, vocabulary).tolist() == [[0, 1]]
    assert vocabulary.words == ("a", word)


def test_of_several_spellings_the_first_is_found(tmp_path):
    lexicon = read(tmp_path, "haus\tcasa\n", source_language="de")
    assert lexicon.rows(Vocabulary(("HAUS", "Haus", "haus")), Vocabulary(("casa",))).tolist() == [[0, 0]]
    kept = read(tmp_path, "haus\tcasa\n", lowercase=False)
    assert kept.rows(Vocabulary(("HAUS", "Haus", "haus")), Vocabulary(("casa",))).tolist() == [[2, 0]]


@pytest.mark.parametrize(
    ("line", "field", "count"),
    [
        ("", "blank_or_comment", 1),
        ("  \t ", "blank_or_comment", 1),
        ("#", "blank_or_comment", 1),
        ("# English to Spanish", "blank_or_comment", 1),
        ("ice cream helado", "multiword", 1),
        ("ice cream\thelado", "multiword", 1),
        ("ice cream\thelado\tnieve", "multiword", 2),
        ("fridge\taire frío, nevera fría", "multiword", 2),
        ("alone", "malformed_count", 1),
        ("alone\t", "malformed_count", 1),
        ("\tsolo", "malformed_count", 1),
        ("dog perro", "duplicates", 1),
        ("DOG perro", "merged", 1),
        ("Cat Gato", "lowercased", 1),
        ("cat\tgato\t0.5\t1e-3\t.25", "scores", 3),
    ],
)
def test_nothing_is_dropped_quietly(tmp_path, line, field, count):
    report = read(tmp_path, f"dog perro\n{line}\n").report
    assert report.lines == 2
    assert getattr(report, field) == count
    assert (report.malformed == (2,)) == (field == "malformed_count")


def test_one_line_for_everything_that_was_found(tmp_path):
    text = "# en-es\nDog perro\ndog perro\nice cream helado\ncat\ngato\n\nsun\tsol\t0.5\n"
    report = read(tmp_path, text).report
    assert str(report) == (
        "2 pairs from 8 lines (2 blank or comment, 1 lower-cased, 1 repeated in another spelling, "
        "1 of several words, 1 scores, 2 malformed: lines 5, 6)"
    )
    assert str(LexiconReport(lines=1, pairs=1)) == "1 pair from 1 line"


def test_many_malformed_lines_are_counted_and_the_first_named(tmp_path):
    report = read(tmp_path, "x\n" * 30 + "dog perro\n").report
    assert report.malformed == tuple(range(1, 21))
    assert report.malformed_count == 30
    assert "30 malformed: lines 1, 2," in str(report)
    assert "20, ..." in str(report)


def test_case_can_be_kept(tmp_path):
    lexicon = read(tmp_path, "Dog Hund\ndog Hund\n", lowercase=False)
    assert lexicon.pairs == (("Dog", "Hund"), ("dog", "Hund"))
    assert lexicon.report.lowercased == 0


@pytest.mark.parametrize(
    ("language", "entry", "word"),
    [
        ("und", "Cafe\u0301", "café"),
        ("fr", "aujourd’hui", "aujourd'hui"),
        ("und", "well‐known", "well-known"),
        ("tr", "İstanbul", "istanbul"),
        ("tr", "IĞDIR", "ığdır"),
        ("und", "IĞDIR", "iğdir"),
        ("ru", "За\u0301мок", "замок"),
        ("ru", "И\u0306од", "йод"),
        ("ar", "مَدْرَسَة", "مدرسة"),
        ("he", "שָׁלוֹם", "שלום"),
    ],
)
def test_entries_are_spelt_like_the_words_of_a_corpus(tmp_path, language, entry, word):
    assert tokenizer(language)(entry) == [word]
    text = f"{entry}\tx\n{word}\tx\n"
    assert read(tmp_path, text, source_language=language).pairs == ((word, "x"),)
    text = f"x\t{entry}\nx\t{word}\n"
    lexicon = read(tmp_path, text, target_language=language)
    assert lexicon.pairs == (("x", word),)
    assert (lexicon.report.duplicates, lexicon.report.merged) == (0, 1)


def test_each_side_has_its_own_spelling(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text("ISI ISI\nл’о\u0301д L’O\u0301D\nplain plain\n")
    lexicon = Lexicon.read(path, True, "tr", "en")
    assert lexicon.pairs == (("ısı", "isi"), ("л'о\u0301д", "l'ód"), ("plain", "plain"))
    assert (lexicon.report.lowercased, lexicon.report.respelt) == (2, 1)
    assert str(lexicon.report) == "3 pairs from 3 lines (2 lower-cased, 1 respelt)"
    kept = Lexicon.read(path, False, "ru", "en")
    assert kept.pairs == (("ISI", "ISI"), ("л'од", "L'ÓD"), ("plain", "plain"))
    assert (kept.report.lowercased, kept.report.respelt) == (0, 1)


def test_an_entry_of_invisible_characters_is_malformed(tmp_path):
    report = read(tmp_path, "dog perro\n\u00ad gato\ncat\t\u200e\n").report
    assert (report.pairs, report.malformed) == (1, (2, 3))


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed(tmp_path, suffix, compress):
    path = tmp_path / f"lexicon.txt{suffix}"
    path.write_bytes(compress(b"dog perro\n"))
    assert Lexicon.read(path).pairs == (("dog", "perro"),)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "one\ntwo\n", "a b c\n" * 3])
def test_no_usable_pair(tmp_path, text):
    with pytest.raises(FormatError, match=rf"no usable pair: 0 pairs from {text.count(chr(10))} l"):
        read(tmp_path, text)


@pytest.mark.parametrize("content", [b"\xff\xfe\0a", b"a\0b\n", "niño child\n".encode("latin-1")])
def test_not_text(tmp_path, content):
    with pytest.raises(FormatError):
        read(tmp_path, content)


def test_missing_file(tmp_path):
    with pytest.raises(JointalignError, match="no such file"):
        Lexicon.read(tmp_path / "none.txt")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_no_text_crashes_the_reader(tmp_path_factory, text, lowercase):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.txt"
    path.write_bytes(text.encode())
    try:
        lexicon = Lexicon.read(path, lowercase)
    except FormatError:
        return
    assert len(set(lexicon.pairs)) == len(lexicon.pairs) == lexicon.report.pairs > 0
    for pair in lexicon:
        for word in pair:
            assert len(word.split()) == 1


words = st.text(st.characters(categories=["L", "N", "M"]), min_size=1).filter(
    lambda word: word == Spelling().speller()(word)
)


@settings(deadline=None)
@given(st.lists(st.tuples(words, words), min_size=1, unique=True), st.sampled_from("\t "))
def test_round_trip(tmp_path_factory, pairs, separator):
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.txt"
    path.write_text("".join(f"{source}{separator}{target}\n" for source, target in pairs), "utf-8")
    assert Lexicon.read(path).pairs == tuple(pairs)


# Using


pairs_of_few_words = st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcxyz")))


@settings(deadline=None)
@given(pairs_of_few_words, st.permutations("abcdefg"), st.permutations("abcxyz"))
def test_rows_agree_with_a_plain_loop(pairs, source_words, target_words):
    source = Vocabulary(tuple(source_words[:4]))
    target = Vocabulary(tuple(target_words[:4]))
    expected = []
    for source_word, target_word in pairs:
        if source_word in source.words and target_word in target.words:
            row = [source.words.index(source_word), target.words.index(target_word)]
            if row not in expected:
                expected.append(row)
    rows = Lexicon(tuple(pairs)).rows(source, target)
    assert rows.dtype == np.int64
    assert rows.shape == (len(expected), 2)
    assert rows.tolist() == expected


@settings(deadline=None)
@given(pairs_of_few_words)
def test_derived_lexicons(pairs):
    lexicon = Lexicon(tuple(pairs))
    assert list(lexicon.without_identical()) == [(a, b) for a, b in pairs if a != b]
    assert list(lexicon.reversed()) == [(b, a) for a, b in pairs]
    assert lexicon.reversed().reversed() == lexicon
    assert set(lexicon.sources) == {a for a, _ in pairs}
    assert tuple(lexicon.grouped()) == lexicon.sources
    assert {(a, b) for a, group in lexicon.grouped().items() for b in group} == set(pairs)
    assert lexicon.overlap(lexicon) == len(set(pairs))
    assert lexicon.overlap(lexicon.without_identical()) == len({(a, b) for a, b in pairs if a != b})


@settings(deadline=None)
@given(pairs_of_few_words, st.integers(0, 6), st.integers(0, 1000))
def test_folds_hold_out_each_source_word_once(pairs, count, seed):
    lexicon = Lexicon(tuple(pairs))
    number = len(lexicon.sources)
    if not 2 <= count <= number:
        with pytest.raises(JointalignError, match=f"2 to {number} folds of {number} source words"):
            list(lexicon.folds(count, seed))
        return
    folds = list(lexicon.folds(count, seed))
    assert len(folds) == count
    assert sorted(pair for _, held_out in folds for pair in held_out) == sorted(pairs)
    sizes = [len(held_out.sources) for _, held_out in folds]
    assert sum(sizes) == number and max(sizes) - min(sizes) <= 1
    for rest, held_out in folds:
        assert not set(rest.sources) & set(held_out.sources)
        assert [pair for pair in pairs if pair in held_out.pairs] == list(held_out)  # file order
        assert [pair for pair in pairs if pair not in held_out.pairs] == list(rest)
    assert list(lexicon.folds(count, seed)) == folds


def test_folds_depend_on_the_seed_alone():
    lexicon = Lexicon(tuple((str(number), "x") for number in range(100)))
    first = {next(lexicon.folds(5, seed))[1].pairs for seed in range(5)}
    assert len(first) == 5
    assert {len(pairs) for pairs in first} == {20}


def test_identical_strings():
    source = Vocabulary(("the", "bar", "2024", "no"))
    target = Vocabulary(("no", "2024", "la", "bar"))
    lexicon = Lexicon.identical_strings(source, target)
    assert lexicon.pairs == (("bar", "bar"), ("2024", "2024"), ("no", "no"))
    assert lexicon.rows(source, target).tolist() == [[1, 3], [2, 1], [3, 0]]


# Real dictionaries


@pytest.fixture
def lexicons():
    folder = os.environ.get("JOINTALIGN_DATA")
    if not folder:
        pytest.skip("set JOINTALIGN_DATA to the folder of real data")
    if not (Path(folder) / "lexicons").is_dir():
        pytest.skip(f"JOINTALIGN_DATA={folder} has no folder lexicons")
    return Path(folder) / "lexicons"


@pytest.mark.data
@pytest.mark.parametrize(
    ("pair", "train", "test", "identical"),
    [("en-es", 11977, 2975, 492), ("en-de", 14677, 3660, 586), ("en-fr", 10872, 2943, 619)],
)
def test_muse_dictionaries(lexicons, pair, train, test, identical):
    training = Lexicon.read(lexicons / f"{pair}.0-5000.txt")
    testing = Lexicon.read(lexicons / f"{pair}.5000-6500.txt")
    assert (len(training), len(testing)) == (train, test)
    assert (len(training.sources), len(testing.sources)) == (5000, 1500)
    assert len(testing) - len(testing.without_identical()) == identical
    assert str(testing.report) == f"{test} pairs from {test} lines"
    assert training.overlap(testing) == 0


@pytest.mark.data
def test_every_dictionary_at_hand_is_read_to_its_last_line(lexicons):
    paths = [*lexicons.rglob("*.txt"), *lexicons.rglob("*.tsv")]
    assert paths
    for path in paths:
        report = Lexicon.read(path).report
        assert report.pairs + report.duplicates + report.merged == report.lines, f"{path}: {report}"
