"""Words by hand for each language, and what must hold for any text."""

import logging
import re
import sys
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.corpora.tokenization import (
    Spelling,
    known_languages,
    language_code,
    located,
    parted,
    tokenizer,
)
from jointalign.errors import JointalignError, MissingExtraError


def speller(language, lowercase=True):
    return Spelling(language, lowercase).speller()


# Expected words are separated by spaces.
CASES = [
    ("en", "Don't! It's John's; he'd've gone.", "don't ! it 's john 's ; he 'd 've gone ."),
    ("en", "I'll see the dogs' o'clock, O'Brien", "i 'll see the dogs ' o'clock , o'brien"),
    ("en", "’Tis “fine”, isn’t it?", "'tis “ fine ” , isn't it ?"),
    ("en", "a well-known 20-year-old", "a well-known 20-year-old"),
    ("en", "word--word—word...", "word -- word — word ..."),
    ("en", "3,000.50 in 1914-1918, 5 km²", "3,000.50 in 1914 - 1918 , 5 km²"),
    ("en", "U.S. troops at 5 p.m. today.", "u.s. troops at 5 p.m. today ."),
    ("en", "(see http://a.org/b?c=1-2, www.d.com.)", "( see http://a.org/b?c=1-2 , www.d.com . )"),
    ("en", "to Jane.Doe+x@mail.co.uk, now", "to jane.doe+x@mail.co.uk , now"),
    ("en", "co\u00adoperate \ufeffcafe\u0301 a\u200bb", "cooperate café a b"),
    ("en-GB", "it's", "it 's"),
    ("en", "İstanbul J\u030c", "istanbul ǰ"),  # lower case first, then composition
    ("fr", "L’homme qu'il d'aujourd’hui", "l' homme qu' il d' aujourd'hui"),
    ("fr", "jusqu'à lorsqu'on quelqu'un", "jusqu' à lorsqu' on quelqu'un"),
    ("fr", "dit-il, a-t-elle ? Donne-le-moi", "dit - il , a - t - elle ? donne - le - moi"),
    ("fr", "peut-être au rendez-vous", "peut-être au rendez-vous"),
    ("fr", "Bar-le-Duc, chef-d'œuvre", "bar-le-duc , chef-d'œuvre"),
    ("fr", "l' audace d' un", "l' audace d' un"),  # as Europarl writes it
    ("it", "L'uomo dell'un'altra, c'è un po'", "l' uomo dell' un' altra , c' è un po'"),
    ("it", "quest'anno, all' alba", "quest' anno , all' alba"),
    ("es", "-¿Qué? ¡Hola!", "- ¿ qué ? ¡ hola !"),
    ("de", "Geht's? Nord- und Süd-Korea", "geht 's ? nord - und süd-korea"),
    ("de", "Die Straße, daß STRASSE", "die straße , daß strasse"),
    ("nl", "'s Avonds is 't zo'n foto's", "'s avonds is 't zo'n foto's"),
    ("nl", "in 's-Gravenhage", "in 's-gravenhage"),
    ("ru", "За\u0301мок и\u0306од Ёлка \u0439", "замок йод ёлка й"),
    ("uk", "м’ята мʼята", "м'ята м'ята"),
    ("pt", "disse-lhe o guarda-chuva", "disse - lhe o guarda-chuva"),
    ("ca", "l'home col·legi agafa'l", "l' home col·legi agafa 'l"),
    ("ro", "într-un", "într - un"),
    ("fi", "EU:n maa:", "eu:n maa :"),
    ("tr", "IŞIK İyi I\u0307yi", "ışık iyi iyi"),
    ("az", "QIZIL", "qızıl"),
    ("el", "ΟΔΟΣ ΣΟΦΟΣ;", "οδος σοφος ;"),
    ("ar", "كِتَاب كتـــاب", "كتاب كتاب"),
    ("he", 'צה"ל "שלום"', 'צה"ל " שלום "'),
    ("fa", "می\u200cخواهم", "می\u200cخواهم"),
    ("hi", "हिन्दी में क्षत्रिय है।", "हिन्दी में क्षत्रिय है ।"),
    ("ja", "東京タワーへ", "東 京 タワー へ"),
    ("th", "ไทย", "ไ ท ย"),
    ("en", "the 東京 tower", "the 東 京 tower"),
    ("xx", "❤️👍 ok", "❤ 👍 ok"),
    ("xx", "👨‍👩‍👧👍🏽🇩🇪🇫🇷 ok", "👨‍👩‍👧 👍🏽 🇩🇪 🇫🇷 ok"),
    ("fr", "l‘homme l´homme l＇homme l`homme l‛homme l′homme", "l' homme " * 5 + "l' homme"),
    ("fr", "l´ homme, ‘oui’ `non´", "l' homme , ‘ oui ' ` non ´"),
    ("nl", "‘s avonds is ´t zo", "'s avonds is 't zo"),
    ("en", "don‘t say ‘no", "don't say ‘ no"),
    ("xx", "\u200bcat\u2060 \u200ddog\u200c", "cat dog"),
    ("ml", "അവന്\u200d ന്\u200d", "അവന്\u200d ന്\u200d"),  # a letter of its own, of old
    ("tr", "i\u0307stanbul", "istanbul"),
    ("lt", "Įj\u0307 i\u0307\u0301", "įj í"),
    ("hi", "\u0958लम", "क़लम"),
    ("xx", "a'b l'homme it's", "a'b l'homme it's"),  # general rules: nothing torn apart
]


@pytest.mark.parametrize(("language", "text", "words"), CASES)
def test_words_by_hand(language, text, words):
    assert tokenizer(language)(text) == words.split(" ")


def test_case_is_kept_on_demand_and_clitics_are_found_in_capitals():
    assert tokenizer("en", lowercase=False)("JOHN'S İ") == ["JOHN", "'S", "İ"]
    assert tokenizer("fr", lowercase=False)("L'Homme") == ["L'", "Homme"]


def test_tokenized_text_is_spelt_but_not_cut():
    assert tokenizer("en", tokenized=True)("It's  (UK)\tdon’t\u00a0x") == ["it's", "(uk)", "don't\u00a0x"]
    assert tokenizer("ru", tokenized=True)("За\u0301мок") == ["замок"]
    assert tokenizer("en", lowercase=False, tokenized=True)("The UK \u00ad") == ["The", "UK", "\u00ad"]


def test_each_token_keeps_its_place():
    text = "\u200e the 3\u00a0000 \u3000 x\u2028y\x0b\t\u200b"
    words = tokenizer("en", tokenized=True)(text)
    assert words == ["\u200e", "the", "3\u00a0000", "\u3000", "x\u2028y\x0b", "\u200b"]


def test_the_speller_spells_like_the_tokenizer():
    assert speller("fr")("L’Homme") == "l'homme"
    assert speller("tr")("İSTANBUL’I") == "istanbul'ı"
    assert speller("ru_RU")("За\u0301мок") == "замок"
    assert speller("und")("Cafe\u0301\u00ad") == "café"
    assert speller("und", lowercase=False)("X‐Cafe\u0301") == "X-Café"
    assert speller("en")("\u00ad") == ""
    assert speller("und")("\u200bga\u200bto\u2060") == "gato"
    assert speller("fa")("\u200cمی\u200cخواهم\u200c") == "می\u200cخواهم"
    assert speller("und")("‘quoted’") == "‘quoted'"
    assert speller("fr")("l´") == "l'"


def test_a_second_look_gives_the_same_words():
    tokenize = tokenizer("en")
    assert tokenize("it's it's IT'S") == ["it", "'s"] * 3


def test_memory_of_pieces_is_bounded(monkeypatch):
    monkeypatch.setattr("jointalign.corpora.tokenization._MOST_REMEMBERED", 10)
    tokenize = tokenizer("en")
    text = [f"word{number}." for number in range(100)]
    expected = [token for word in text for token in (word[:-1], ".")]
    assert tokenize(" ".join(text + text)) == expected * 2
    memory = next(
        cell.cell_contents.__self__
        for cell in tokenize.__closure__
        if hasattr(cell.cell_contents, "__self__")
    )
    assert 0 < len(memory) <= 10


TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé.'-’ \n1,@\u0301İIß"))


@given(TEXTS, st.sampled_from(["en", "fr", "it", "nl", "tr", "he", "xx"]))
def test_words_have_no_white_space_and_stay_as_they_are(text, language):
    words = tokenizer(language)(text)
    assert all(word and word.split() == [word] for word in words)
    assert tokenizer(language, tokenized=True)(" ".join(words)) == words


@given(TEXTS, st.sampled_from(["en", "tr", "ru", "ar", "xx"]), st.booleans())
def test_spelling_is_that_of_words_not_cut(text, language, lowercase):
    spell = speller(language, lowercase)
    words = [spell(word) or word for word in re.split("[ \t\r]+", text) if word]
    assert words == tokenizer(language, lowercase, tokenized=True)(text)


@given(TEXTS, st.sampled_from(["en", "fr", "tr", "lt", "ar", "hi", "xx"]), st.booleans())
def test_a_word_that_is_spelt_stays_as_it_is(text, language, lowercase):
    spell = speller(language, lowercase)
    once = spell(text)
    assert spell(once) == once


@given(TEXTS)
def test_only_white_space_and_invisible_characters_are_dropped(text):
    def visible(part):
        hidden = ("\u034f", "\ufe0e", "\ufe0f")
        return "".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cf") and c not in hidden)

    plain = "".join(text.split()).translate(str.maketrans("’ʼ‐\u2011‘‛´`′＇", "''--" + "'" * 6))
    words = tokenizer("xx", lowercase=False)(text)
    # NFD: where pieces meet, the words may be composed and the text not, or the other way round.
    joined = "".join(words).translate(str.maketrans("‘‛´`′＇", "'" * 6))
    dotted = str.maketrans("", "", "\u0307")  # on an i it says nothing
    found, expected = (unicodedata.normalize("NFD", visible(t)).translate(dotted) for t in (joined, plain))
    assert found == expected


def test_known_languages():
    assert {"en", "es", "de", "fr", "it", "nl", "ru", "zh", "tr"} <= set(known_languages())


@pytest.mark.parametrize(
    ("code", "short"),
    [
        *[("zho", "zh"), ("cmn", "zh"), ("zh-TW", "zh"), ("zh_Hans_CN", "zh"), ("chi", "zh")],
        *[("tur", "tr"), ("jpn", "ja"), ("tha", "th"), ("deu", "de"), ("ger", "de"), ("pt_BR", "pt")],
        *[("EN", "en"), ("pes", "fa"), ("iw", "he"), ("und", "und"), ("source", "source"), ("", "")],
    ],
)
def test_codes_of_two_and_three_letters_are_one(code, short):
    assert language_code(code) == short
    text = "IŞIK"
    assert speller(code)(text) == speller(short)(text)


@pytest.mark.parametrize("language", ["english", "ja", "jpn", "tha", "vi", "vie", "xx"])
def test_doubtful_languages_are_warned_of(language, caplog):
    tokenizer(language)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


class TestChinese:
    def test_jieba_cuts_chinese_and_only_chinese(self, capfd):
        pytest.importorskip("jieba")
        caches = set(Path(tempfile.gettempdir()).glob("jieba*"))
        words = tokenizer("zh")("我来到北京清华大学，Hello世界 3.14。")
        assert words == ["我", "来到", "北京", "清华大学", "，", "hello", "世界", "3.14", "。"]
        assert capfd.readouterr() == ("", "")
        assert set(Path(tempfile.gettempdir()).glob("jieba*")) == caches

    def test_without_jieba_the_cure_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "jieba", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'jointalign\[tokenizers\]'"):
            tokenizer("zh")

    def test_tokenized_chinese_needs_no_jieba(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "jieba", None)
        assert tokenizer("zh", tokenized=True)("清华 大学") == ["清华", "大学"]


def test_words_are_found_where_they_stand():
    line = "L\u2019a\u0300 \u200b co\u00adop  (dit\u2011il)\u2026"
    words = tokenizer("fr", lowercase=False)(line)
    assert words == ["L'", "\u00e0", "coop", "(", "dit", "-", "il", ")", "\u2026"]
    found = [line[start:end] for start, end in located(line, words, "fr")]
    assert found == ["L\u2019", "a\u0300", "co\u00adop", "(", "dit", "\u2011", "il", ")", "\u2026"]
    assert located("a\u00a0b  c", parted("a\u00a0b  c")) == [(0, 3), (5, 6)]
    assert located("\u0633\u064e\u0644", ["\u0633\u0644"], "ar") == [(0, 3)]  # a vowel point goes along
    with pytest.raises(JointalignError, match="does not follow"):
        located("a b", ["b", "a"])


AWKWARD = "aeI'`-i. \u2019\u2018\u00b4\u0307\u0301\u200b\u200d\u00ad\u0130\u064b\u05b0\u0640\u0338\u1100"


@given(
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(AWKWARD), max_size=25),
    st.sampled_from([code for code in known_languages() if code != "zh"]),
)
def test_places_follow_each_other_and_leave_out_nothing_that_is_seen(text, language):
    words = tokenizer(language, lowercase=False)(text)
    places, spell = located(text, words, language), speller(language, lowercase=False)
    ends = [0, *(end for _, end in places)]
    starts = [*(start for start, _ in places), len(text)]
    assert all(start < end for start, end in places)
    for end, start in zip(ends, starts, strict=True):
        assert end <= start
        for character in text[end:start]:
            unseen = character.isspace() or unicodedata.category(character) in ("Cc", "Cf")
            assert unseen or spell(f"a{character}") == "a"
