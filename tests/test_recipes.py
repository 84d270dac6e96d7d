"""The scripts of docs/recipes.md run as they stand there, with the real packages."""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import jointalign as ja
from jointalign.cli.app import run
from jointalign.subwords import SubwordTable, hash_ngrams
from small_hub import served_repositories
from small_models import ENGLISH, SPANISH, byte_level, gpt2, save

repositories = served_repositories
PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
_BLOCK = re.compile(r'```(bash|python|toml)(?: title="([\w.]+)")?\n(.*?)```', re.DOTALL)
TRANSLATIONS = dict(
    pair.split(":")
    for pair in """the:el a:un in:en is:es does:hace where:dónde who:quién and:y house:casa dog:perro
    book:libro teacher:maestra garden:jardín reads:lee read:leer sleeps:duerme sleep:dormir long:largo
    train:tren leaves:sale tomorrow:mañana small:pequeña green:verde old:viejo child:niño sings:canta
    school:escuela parrot:loro radio:radio hotel:hotel""".split()
)


def section(title):
    """The blocks of a section: language, name of the file that it is, content."""
    text = re.search(rf"^## {title}.*?(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return _BLOCK.findall(text[0])


def played(title):
    """What the scripts of a section print; blocks that are files are written first."""
    blocks, said = section(title), io.StringIO()
    for _, name, content in blocks:
        if name:
            Path(name).write_text(content, "utf-8")
    with contextlib.redirect_stdout(said):
        for language, name, content in blocks:
            if language == "bash":
                program, *arguments = shlex.split(content)
                assert program == "jointalign" and run(arguments) == 0
            elif not name:
                exec(compile(content, title, "exec"), {"__name__": title})
    return said.getvalue()


def side(words, vectors):
    """Words with counts, and n-grams of about the same directions as the words that they are in."""
    counts, hashed = hash_ngrams(words, 3, 5, 50_000)
    used, place = np.unique(hashed, return_inverse=True)
    table = np.zeros((len(used), vectors.shape[1]))
    np.add.at(table, place, np.repeat(vectors, counts, axis=0))
    table /= np.bincount(place)[:, None]
    vocabulary = ja.Vocabulary(tuple(words), (10_000 / np.arange(1, len(words) + 1) ** 2).astype(int))
    subwords = SubwordTable(used.astype(np.uint32), table.astype(np.float32), 3, 5, 50_000)
    return ja.Embedding(vocabulary, vectors.astype(np.float32), subwords)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files that the page speaks of; a rotation takes the two languages apart."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    english = random.normal(size=(len(TRANSLATIONS), 16))
    words = list(TRANSLATIONS)
    for form, other in (("reads", "read"), ("sleeps", "sleep")):  # two forms of one word
        english[words.index(other)] = english[words.index(form)] + 0.3 * random.normal(size=16)
    spanish = english + 0.05 * random.normal(size=english.shape)
    turn, _ = np.linalg.qr(random.normal(size=(16, 16)))
    sides = side(words, english), side(list(TRANSLATIONS.values()), spanish @ turn)
    for embedding, name in zip(sides, ("en.bin", "es.bin"), strict=True):
        ja.write(embedding, name, format="fasttext")
    Path("en-es.txt").write_text("".join(f"{one} {two}\n" for one, two in TRANSLATIONS.items()), "utf-8")
    space = ja.BilingualEmbedding.separate(*sides, "en", "es")
    ja.save(ja.align(space, "procrustes", ja.Lexicon(TRANSLATIONS)), "space.safetensors")
    return tmp_path


def test_gensim(here):
    pytest.importorskip("gensim", reason="the section's package")
    house, houses = played("gensim").splitlines()
    assert house.startswith("house [('casa'") and houses.startswith("houses [('casa'")


def test_wechsel(here):
    for package in ("wechsel", "fasttext"):
        pytest.importorskip(package, reason="the section's packages")
    from transformers import AutoModelForCausalLM

    english, spanish = byte_level(ENGLISH), byte_level(SPANISH)
    save(gpt2(english), english, "english-model")
    spanish.save_pretrained("spanish-tokenizer")
    played("WECHSEL")
    theirs = AutoModelForCausalLM.from_pretrained("spanish-model").get_input_embeddings().weight.detach()
    # What our own command gives from the same space, where no two tokens tie for the tenth place.
    given = (
        "--model english-model --tokenizer spanish-tokenizer --space aligned/aligned.safetensors --out ours"
    )
    assert run(["transfer", *given.split(), "--json"]) == 0
    ours = AutoModelForCausalLM.from_pretrained("ours").get_input_embeddings().weight.detach()
    alike = np.isclose(theirs, ours, atol=1e-4).all(axis=1)
    assert len(ours) == len(spanish) and alike.sum() > 20


def test_sentence_transformers(here):
    pytest.importorskip("sentence_transformers", reason="the section's package")
    said = played("sentence-transformers")
    assert "Who reads a book? -> La maestra lee un libro largo." in said
    assert "Where does the dog sleep? -> El perro duerme en el jardín." in said


def test_a_method_of_another_package(here, monkeypatch):
    facts = here / "whitened-1.0.dist-info"  # as an installer leaves it
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: whitened\nVersion: 1.0\n")
    points = re.search(
        r"aligners\"\]\n(.*)", dict((b[1], b[2]) for b in section("A method"))["pyproject.toml"]
    )
    (facts / "entry_points.txt").write_text("[jointalign.aligners]\n" + points[1].replace('"', "") + "\n")
    monkeypatch.syspath_prepend(str(here))
    try:
        assert "P@1 = 100.0" in played("A method")
    finally:
        sys.modules.pop("whitened", None)


def test_a_service(here, repositories):
    pytest.importorskip("huggingface_hub", reason="the section's package")
    ja.push_to_hub(ja.load("space.safetensors"), "owner/en-es", licence="cc0-1.0")
    said = played("A service")
    answers = eval(said.splitlines()[-1])
    assert {word: found[0] for word, found in answers.items()} == {
        word: TRANSLATIONS[word] for word in ("house", "dog", "book", "teacher")
    }


def test_the_page_has_no_section_that_is_not_run():
    titles = re.findall(r"^## (.*)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(titles) == 5 and all(section(title.partition(":")[0].partition(",")[0]) for title in titles)
