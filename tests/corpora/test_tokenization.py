"""Words by hand for each language, and what must hold for any text."""

import logging
import sys
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.corpora.tokenization import known_languages, speller, tokenizer
from jointalign.errors import MissingExtraError

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
    ("xx", "❤️👍 ok", "❤️ 👍 ok"),
    ("xx", "a'b l'homme it's", "a'b l'homme it's"),  # general rules: nothing torn apart
]


@pytest.mark.parametrize(("language", "text", "words"), CASES)
def test_words_by_hand(language, text, words):
    assert tokenizer(language)(text) == words.split(" ")


def test_case_is_kept_on_demand_and_clitics_are_found_in_capitals():
    assert tokenizer("en", lowercase=False)("JOHN'S İ") == ["JOHN", "'S", "İ"]
    assert tokenizer("fr", lowercase=False)("L'Homme") == ["L'", "Homme"]


def test_tokenized_text_is_spelt_but_not_cut():
    assert tokenizer("en", tokenized=True)("It's  (UK)\tdon’t\u00a0x") == ["it's", "(uk)", "don't", "x"]
    assert tokenizer("ru", tokenized=True)("За\u0301мок") == ["замок"]
    assert tokenizer("en", lowercase=False, tokenized=True)("The UK \u00ad") == ["The", "UK"]


def test_the_speller_spells_like_the_tokenizer():
    assert speller("fr")("L’Homme") == "l'homme"
    assert speller("tr")("İSTANBUL’I") == "istanbul'ı"
    assert speller("ru_RU")("За\u0301мок") == "замок"
    assert speller("und")("Cafe\u0301\u00ad") == "café"
    assert speller("und", lowercase=False)("X‐Cafe\u0301") == "X-Café"
    assert speller("en")("\u00ad") == ""


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
    words = [word for word in map(spell, text.split()) if word]
    assert words == tokenizer(language, lowercase, tokenized=True)(text)


@given(TEXTS)
def test_only_white_space_and_invisible_characters_are_dropped(text):
    def visible(part):
        return "".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cf"))

    plain = "".join(text.split()).translate(str.maketrans("’ʼ‐\u2011", "''--"))
    words = tokenizer("xx", lowercase=False)(text)
    # NFD: where pieces meet, the words may be composed and the text not, or the other way round.
    found, expected = (unicodedata.normalize("NFD", visible(t)) for t in ("".join(words), plain))
    assert found == expected


def test_known_languages():
    assert {"en", "es", "de", "fr", "it", "nl", "ru", "zh", "tr"} <= set(known_languages())


@pytest.mark.parametrize("language", ["english", "ja"])
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
