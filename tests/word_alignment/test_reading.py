"""Files of parallel text and links, and the command that writes them."""

import json

import pytest

from jointalign.cli.app import run
from jointalign.errors import FormatError, JointalignError
from jointalign.word_alignment import (
    Links,
    ParallelText,
    align_text,
    alignment_error_rate,
    read_gold,
    read_links,
    read_parallel,
)
from jointalign.word_alignment.reading import check_links


def test_one_file_and_two_files_read_alike(tmp_path):
    (tmp_path / "both").write_text("The house. ||| La casa.\n||| sola\n")
    (tmp_path / "en").write_text("The house.\n\n")
    (tmp_path / "es").write_text("La casa.\nsola\n")
    one = read_parallel(tmp_path / "both")
    two = read_parallel(tmp_path / "en", tmp_path / "es")
    assert one.source.words == two.source.words == ("the", "house", ".")
    assert one.target.tokens.tolist() == two.target.tokens.tolist() == [0, 1, 2, 3]
    assert one.empty == two.empty == 1
    cased = read_parallel(tmp_path / "both", lowercase=False, tokenized=True)
    assert cased.source[0] == ["The", "house."]


@pytest.mark.parametrize(
    ("text", "line", "message"), [("a ||| b\nc\n", 2, "0 separators"), ("a ||| b ||| c\n", 1, "2 separators")]
)
def test_a_line_without_its_separator_is_named(tmp_path, text, line, message):
    (tmp_path / "both").write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_parallel(tmp_path / "both")
    assert caught.value.line == line


def test_files_of_unequal_length_are_refused(tmp_path):
    (tmp_path / "en").write_text("a\nb\n")
    (tmp_path / "es").write_text("a\n")
    with pytest.raises(FormatError, match="line 2") as caught:
        read_parallel(tmp_path / "en", tmp_path / "es")
    assert caught.value.path.name == "en"


@pytest.mark.parametrize("text", ["0-0 x\n", "1\n", "-1-2\n", "1-\n"])
def test_links_that_are_none_are_refused(tmp_path, text):
    (tmp_path / "links").write_text(text)
    with pytest.raises(FormatError, match="line 1"):
        read_links(tmp_path / "links")


def test_gold_counted_from_another_number_is_refused(tmp_path):
    (tmp_path / "gold").write_text("0-1\n")
    with pytest.raises(FormatError, match="at least 1"):
        read_gold(tmp_path / "gold")


def test_links_must_belong_to_the_text():
    text = ParallelText.of([(["a"], ["b", "c"])])
    check_links(Links.of([[(0, 1)]]), text, "links")
    with pytest.raises(FormatError, match="beyond the end"):
        check_links(Links.of([[(1, 0)]]), text, "links")
    with pytest.raises(FormatError, match="expected 1 lines"):
        check_links(Links.of([[], []]), text, "links")


def test_error_rate_by_hand(tmp_path):
    # A = {0-0, 1-1, 2-2}, S = {0-0, 1-0}, P = S and 1-1: 1 - (1 + 2) / (3 + 2).
    (tmp_path / "gold").write_text("1-1 2-1 2p2\n\n")
    gold = read_gold(tmp_path / "gold")
    score = alignment_error_rate(Links.of([[(0, 0), (1, 1), (2, 2)], []]), gold)
    assert score.error_rate == pytest.approx(1 - 3 / 5)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(1 / 2)
    with pytest.raises(JointalignError, match="2 sentence pairs"):
        alignment_error_rate(Links.of([[]]), gold)


def test_the_command_writes_links_words_and_a_score(tmp_path, capsys):
    lines = ["The house ||| La casa", "The book ||| El libro", "A house ||| Una casa", " ||| x"]
    (tmp_path / "both").write_text("\n".join(lines * 10) + "\n")
    (tmp_path / "gold").write_text("1-1 2-2\n\n")
    arguments = [
        "align-text",
        "--method",
        "diagonal",
        "--input",
        str(tmp_path / "both"),
        "--out",
        str(tmp_path / "links"),
    ]
    more = ["--words", str(tmp_path / "words"), "--gold", str(tmp_path / "gold"), "--json"]
    assert run([*arguments, *more]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["sentences"] == 40
    assert facts["empty"] == 10
    assert facts["gold"]["error_rate"] == 0
    found = (tmp_path / "links").read_text().split("\n")
    assert found[:4] == ["0-0 1-1", "0-0 1-1", "0-0 1-1", ""]
    assert (tmp_path / "words").read_text().startswith("the house ||| la casa\n")
    assert run(["align-text", "--input", str(tmp_path / "gold"), "--out", "x"]) == 2
    assert "gold, line 1" in capsys.readouterr().err


@pytest.mark.parametrize("digits", [10, 5000])
def test_a_number_that_can_be_no_position_is_told(tmp_path, digits):
    (tmp_path / "links").write_text(f"0-0 0-{'9' * digits}\n")
    with pytest.raises(FormatError, match="links, line 1: expected a link such as"):
        read_links(tmp_path / "links")
    (tmp_path / "gold").write_text(f"1-1\n1p{'9' * digits}\n")
    with pytest.raises(FormatError, match="gold, line 2: expected a link such as"):
        read_gold(tmp_path / "gold")


def test_links_and_text_do_not_go_into_one_file(tmp_path, capsys):
    (tmp_path / "text").write_text("a b ||| c d\n")
    given = ["align-text", "--input", str(tmp_path / "text")]
    out = str(tmp_path / "out")
    assert run([*given, "--out", out, "--words", out]) == 2
    assert "two results would be written here" in capsys.readouterr().err
    assert run([*given, "--out", "/dev/null", "--words", "/dev/null"]) == 0


def test_links_beyond_their_sentence_are_named_as_the_file_has_them(tmp_path):
    text = ParallelText.of([(["x"], ["y"]), (["the", "house"], ["das", "haus"])])
    (tmp_path / "gold").write_text("1-1 2-2 9-9\n")
    with pytest.raises(FormatError, match="link 9-9") as caught:
        check_links(read_gold(tmp_path / "gold").possible, text, tmp_path / "gold", start=1, last=True)
    assert caught.value.line == 1
    (tmp_path / "gold").write_text("1-1 2-2\n")
    check_links(read_gold(tmp_path / "gold").possible, text, tmp_path / "gold", start=1, last=True)


@pytest.mark.parametrize("hidden", ["\u200e", "\u00a0", "\u200b", "\u3000"])
def test_a_token_that_cannot_be_seen_keeps_its_place_and_has_no_link(tmp_path, hidden):
    lines = [f"{hidden} the house ||| das haus", "the book ||| das buch", f"a book ||| ein {hidden} buch"]
    (tmp_path / "text").write_text("\n".join(lines) + "\n", "utf-8")
    text = read_parallel(tmp_path / "text", tokenized=True)
    assert list(align_text(text).links.lines()) == ["1-0 2-1", "0-0 1-1", "0-0 1-2"]
