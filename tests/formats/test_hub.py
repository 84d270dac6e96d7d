"""The real `huggingface_hub` against a small hub of our own."""

import json

import numpy as np
import pytest

import jointalign as ja
from jointalign.cli.app import run
from jointalign.errors import JointalignError
from jointalign.formats import hub
from jointalign.subwords import SubwordTable
from small_hub import point_to, served_repositories

huggingface_hub = pytest.importorskip("huggingface_hub", reason="talks to the hub")
repositories = served_repositories


def space(languages=("en", "es")):
    table = SubwordTable(np.arange(7, dtype=np.uint32), np.ones((7, 3), np.float32), 3, 6, 7)
    english = ja.Embedding(
        ja.Vocabulary(("cat", "dog"), np.array([5, 2])),
        np.eye(2, 3, dtype=np.float32),
        table,
        {"align.seed": 3},
    )
    spanish = ja.Embedding(ja.Vocabulary(("gato", "perro")), np.eye(2, 3, dtype=np.float32))
    return ja.BilingualEmbedding.separate(english, spanish, *languages)


def test_there_and_back(repositories, tmp_path, capsys):
    pushed, pairs = space(), ja.Lexicon((("cat", "gato"), ("dog", "perro")))
    scores = [ja.bli.evaluate(pushed, pairs)]
    corpora = ["Novels, 5M tokens a language"]
    url = ja.push_to_hub(pushed, "me/enes", licence="cc-by-4.0", corpora=corpora, scores=scores)
    assert url.endswith("/me/enes")
    files = repositories.repositories["me/enes"]
    assert sorted(files) == ["README.md", "space.safetensors"]
    again = ja.read_bilingual("hf://me/enes")
    assert (again.source_language, again.source.words, again.target.words) == (
        "en",
        ("cat", "dog"),
        ("gato", "perro"),
    )
    assert ja.read_bilingual("hf://me/enes@main/space.safetensors").target.words == again.target.words
    metadata = huggingface_hub.ModelCard(files["README.md"].decode()).data
    assert (metadata.language, metadata.license, metadata.library_name) == (
        ["en", "es"],
        "cc-by-4.0",
        "jointalign",
    )
    text = files["README.md"].decode()
    for said in (
        "| en alone | 2 | 3 | 7 |",
        "- Novels, 5M",
        str(scores[0]),
        "| align.seed | 3 |",
        "read_bilingual(",
    ):
        assert said in text
    pairs_file = tmp_path / "pairs.txt"
    pairs_file.write_text("cat gato\ndog perro\n")
    arguments = ["evaluate", "bli", "--embedding", "hf://me/enes", "--lexicon", str(pairs_file), "--json"]
    capsys.readouterr()
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["p_at_1"] == 100


def test_files_of_others(repositories, tmp_path):
    ja.write(space().source, tmp_path / "en.bin", "fasttext")
    ja.write(space().source, tmp_path / "en.vec")
    files = {name: (tmp_path / name).read_bytes() for name in ("en.bin", "en.vec")}
    repositories.repositories["facebook/model"] = files
    assert ja.read("hf://facebook/model/en.bin").vocabulary.counts.tolist() == [5, 2]
    assert ja.read("hf://facebook/model/en.vec", max_vocabulary=1).words == ("cat",)
    asked = len(repositories.asked)
    ja.read("hf://facebook/model/en.vec")
    assert not any(line.startswith("GET") for line in repositories.asked[asked:])  # kept from before
    with pytest.raises(JointalignError, match=r"there is no space\.safetensors; .*/FILE: en\.bin, en\.vec"):
        ja.read("hf://facebook/model")


def test_what_is_not_there_and_who_may_not(repositories, monkeypatch):
    repositories.repositories["a/b"] = {}
    for address, said in (
        ("hf://a/c", "no such repository"),
        ("hf://a/b@old", "no such branch"),
        ("hf://a", "expected hf://owner/name"),
        ("hf://a/b/x/../y", "hf://a/b"),
    ):
        with pytest.raises(JointalignError, match=said):
            ja.read(address)
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    with pytest.raises(JointalignError, match="hf://me/new"):
        ja.push_to_hub(space(), "me/new", licence="mit")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    point_to(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(JointalignError, match="cannot be reached"):
        ja.read("hf://a/b")
    with pytest.raises(JointalignError, match="hf://me/new"):
        ja.push_to_hub(space(), "me/new", licence="mit")


def test_cards_of_one_language_and_of_several():
    one = hub.card(space().target, "me/es", "mit", about="Small.")
    assert one.startswith('---\nlanguage: []\nlicense: "mit"\n')
    assert "Small." in one and 'ja.read("hf://me/es")' in one and "## Scores" not in one
    assert "language: []" in hub.card(space(("source", "und")), "me/x", "mit")
