"""Files of all kinds that the CoNLL tasks and their relatives come in."""

import bz2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.errors import FormatError, JointalignError
from jointalign.ner import conll
from jointalign.ner._blocks import blocks
from jointalign.ner.base import Scheme, Sentence

EXPECTED = (
    Sentence(("EU", "rejects", "German"), ("B-ORG", "O", "B-MISC")),
    Sentence(("Peter", "Blackburn"), ("B-PER", "I-PER")),
)
FILES = {
    "english 2003": (
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\n\n"
        "-DOCSTART- -X- -X- O\n\nPeter NNP I-NP I-PER\nBlackburn NNP I-NP I-PER\n",
        (0, 3),
        Scheme.IOB1,
        2,
    ),
    "german 2003": (
        "-DOCSTART- -X- -X- O O\n\nEU EU N I-NC I-ORG\nrejects x V I-VC O\nGerman x A I-NC I-MISC"
        "\n\nPeter Peter NE I-NC I-PER\nBlackburn x NE I-NC I-PER\n\n",
        (0, 4),
        Scheme.IOB1,
        1,
    ),
    "spanish 2002": (
        "EU NC B-ORG\nrejects VMI O\nGerman AQ B-MISC\n\nPeter NC B-PER\nBlackburn AQ I-PER\n\n",
        (0, 2),
        Scheme.BIO2,
        0,
    ),
    "dutch 2002, the mark within the sentence": (
        "-DOCSTART- -DOCSTART- O\nEU N B-ORG\nrejects V O\nGerman A B-MISC\n\n"
        "Peter N B-PER\nBlackburn N I-PER\n",
        (0, 2),
        Scheme.BIO2,
        1,
    ),
    "wikineural, words counted, tabs": (
        "0\tEU\tB-ORG\n1\trejects\tO\n2\tGerman\tB-MISC\n\n0\tPeter\tB-PER\n1\tBlackburn\tI-PER\n",
        (1, 2),
        Scheme.BIO2,
        0,
    ),
    "germeval, outer and inner layer, comments": (
        "#\thttp://de.wikipedia.org\t[2009]\n1\tEU\tB-ORG\tO\n2\trejects\tO\tO\n3\tGerman\tB-MISC\tB-LOC"
        "\n\n#\thttp://de.wikipedia.org\t[2010]\n1\tPeter\tB-PER\tO\n2\tBlackburn\tI-PER\tO\n",
        (1, 2),
        Scheme.BIO2,
        0,
    ),
    "two columns, carriage returns, IOBES": (
        "EU S-ORG\r\nrejects O\r\nGerman S-MISC\r\n\r\n\r\nPeter B-PER\r\nBlackburn E-PER",
        (0, 1),
        Scheme.IOBES,
        0,
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", ["", ".bz2"])
def test_every_kind_gives_the_same_sentences(tmp_path, name, suffix):
    text, (word, tag), scheme, documents = FILES[name]
    path = tmp_path / f"file.txt{suffix}"
    path.write_bytes(bz2.compress(text.encode()) if suffix else text.encode())
    found = conll.read(path)
    assert found.sentences == EXPECTED
    assert (found.columns.word, found.columns.tag) == (word, tag)
    assert (found.scheme, found.documents, found.tokens) == (scheme, documents, 5)


def test_a_stray_inside_tag_does_not_make_a_file_iob1(tmp_path):
    path = tmp_path / "file"
    path.write_text("a B-PER\nb B-LOC\nc O\nd I-LOC\n")
    found = conll.read(path)
    assert found.scheme is Scheme.BIO2
    assert found.sentences[0].tags == ("B-PER", "B-LOC", "O", "B-LOC")


def test_columns_can_be_named_and_tags_left_alone(tmp_path):
    path = tmp_path / "file"
    path.write_text("1\tEU\tB-ORG\tB-LOC\n")
    assert conll.read(path, tag_column=3).sentences[0].tags == ("B-LOC",)
    assert conll.read(path, word_column=2, tag_column=3).sentences[0].words == ("B-ORG",)
    assert conll.read(path, tagged=False).sentences == (Sentence(("EU",)),)


def test_old_encodings_are_read_when_they_are_named(tmp_path):
    path = tmp_path / "esp.train"
    path.write_bytes("Ñandú NC B-LOC\n".encode("latin-1"))
    assert conll.read(path, encoding="latin-1").sentences[0].words == ("Ñandú",)
    with pytest.raises(FormatError, match="line 1: expected UTF-8"):
        conll.read(path)
    with pytest.raises(JointalignError, match="no encoding 'latin-x'"):
        conll.read(path, encoding="latin-x")
    with pytest.raises(FormatError, match="line 1: expected ascii"):
        conll.read(path, encoding="ascii")


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_a_header_is_no_sentence(tmp_path, between):
    path = tmp_path / "file"
    path.write_text(f"# made by hand\n# 2020\n{between}EU NNP B-ORG\n\n# 2\n\n# NN O\n\n")
    words = [sentence.words for sentence in conll.read(path).sentences]
    assert words == [("EU",), ("#",)]
    path.write_text("# O\n\nEU B-ORG\n")
    assert [sentence.words for sentence in conll.read(path).sentences] == [("#",), ("EU",)]


def test_a_no_break_space_and_a_hash_are_words(tmp_path):
    path = tmp_path / "file"
    path.write_text("10\u00a0000 CD O\n# # O\n\n# # O\n# # O\n")
    words = [sentence.words for sentence in conll.read(path).sentences]
    assert words == [("10\u00a0000", "#"), ("#", "#")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a B-PER\n\nb X O\n", 3, "expected 2 columns as in line 1, got 3: b X O"),
        ("a b\nc d\n", 1, "expected a column of tags .* got a | b"),
        ("a O\nb Person\n", 2, "expected a tag .* got 'Person'"),
        ("\n\n", None, "expected sentences"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, line, message):
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(FormatError, match=message) as error:
        conll.read(path)
    assert error.value.line == line


def test_a_wrong_tag_is_named_where_the_column_is_known(tmp_path):
    path = tmp_path / "file"
    path.write_text("a O\nb B_PER\n")
    with pytest.raises(FormatError, match="line 2: expected a tag .* got 'B_PER'"):
        conll.read(path, tag_column=1)
    with pytest.raises(FormatError, match="no column 7 for the tag; columns are 0 to 1"):
        conll.read(path, tag_column=7)


words = st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]), min_size=1)


@given(
    st.lists(st.lists(st.tuples(words, st.sampled_from(["O", "B-PER", "B-LOC"])), min_size=1), min_size=1),
    st.sampled_from(Scheme),
)
def test_what_is_written_is_read_back(tmp_path_factory, content, scheme):
    sentences = tuple(Sentence(tuple(w for w, _ in rows), tuple(t for _, t in rows)) for rows in content)
    if any(word.startswith("-DOCSTART-") for s in sentences for word in s.words):
        return
    path = tmp_path_factory.mktemp("round") / "file.txt"
    conll.write(sentences, path, scheme)
    assert conll.read(path, word_column=0, tag_column=1).sentences == sentences


def test_a_word_with_a_blank_cannot_be_written(tmp_path):
    with pytest.raises(JointalignError, match="hold a blank, got 'New York'"):
        conll.write([Sentence(("New York",), ("B-LOC",))], tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "words", "tags"),
    [
        ("# id 4a-7\tdomain=en\nEva _ _ B-PER\ncanta _ _ O\n", "Eva canta", "B-PER O"),
        ("# id 4a-7 domain=en\nEva _ _ B-PER\ncanta _ _ O\n", "Eva canta", "B-PER O"),
        ("# text = Eva canta\nEva\tB-PER\ncanta\tO\n", "Eva canta", "B-PER O"),
        ("en:Ana\tB-PER\nen:sings\tO\nen::\tO\n", "Ana sings :", "B-PER O O"),
        ("zh-min-nan:Ana\tB-PER\nzh-min-nan:sings\tO\n", "Ana sings", "B-PER O"),
        ("Ana B-PER\nMaria L-PER\nin O\nRome U-LOC\n", "Ana Maria in Rome", "B-PER I-PER O B-LOC"),
        ("A B-X\nB M-X\nC E-X\nD S-X\n", "A B C D", "B-X I-X I-X B-X"),
        ("Ana PER\nMaria PER\nin O\nRome LOC\n", "Ana Maria in Rome", "B-PER I-PER O B-LOC"),
        ("Ana B\nMaria I\nsings O\n", "Ana Maria sings", "B-ENTITY I-ENTITY O"),
    ],
)
def test_files_as_they_are_distributed(tmp_path, text, words, tags):
    (tmp_path / "a.conll").write_text(text, "utf-8")
    (sentence,) = conll.read(tmp_path / "a.conll").sentences
    assert " ".join(sentence.words) == words
    assert " ".join(sentence.tags or ()) == tags


def test_tabs_alone_part_the_columns_where_there_are_some(tmp_path):
    (tmp_path / "a.conll").write_text('Ana\tB-PER\n: "\tO\n5 000\tO\n', "utf-8")
    (sentence,) = conll.read(tmp_path / "a.conll").sentences
    assert sentence.words == ("Ana", ': "', "5 000")


def test_one_odd_tag_is_named_with_its_line(tmp_path):
    (tmp_path / "a.conll").write_text("Ana B-PER\nsings O\n\nEva o\nsings O\n", "utf-8")
    with pytest.raises(FormatError, match="column 1, got 'o'") as caught:
        conll.read(tmp_path / "a.conll")
    assert caught.value.line == 4


def test_lines_stay_as_they_are_and_get_a_column(tmp_path):
    (tmp_path / "a.conll").write_text("# id 1\nEva\tB-PER\nNew York\tO\n\nIn  Rome\n", "utf-8")
    first, second = blocks(tmp_path / "a.conll")
    assert first.with_tags(["B-PER", "O"]) == "# id 1\nEva\tB-PER\tB-PER\nNew York\tO\tO\n\n"
    assert second.with_tags(["O"]) == "In  Rome O\n\n"


def test_a_bare_type_among_prefixed_tags_is_a_slip(tmp_path):
    (tmp_path / "a.conll").write_text("Ana B-PER\nMaria IPER\nsings O\nParis B-LOC\n")
    with pytest.raises(FormatError, match="got 'IPER'") as caught:
        conll.read(tmp_path / "a.conll")
    assert caught.value.line == 2
