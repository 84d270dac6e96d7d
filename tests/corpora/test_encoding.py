"""Encoded corpora: what goes in comes out, for any number of workers, and only when complete."""

import json
import os
import zlib
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.corpora import corpus as corpus_module
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import FILES, EncodedCorpus, encode
from jointalign.corpora.tokenization import tokenizer
from jointalign.errors import FormatError, JointalignError

LINES = [f"the {'old ' * (i % 3)}house number {i % 17} of w{i}" for i in range(300)]


def as_dict(counts):
    return {word: counts[word] for word in counts}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "en.txt"
    path.write_text("\n".join(LINES) + "\n\n")
    return path


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(corpus_module, "_BATCH_CHARACTERS", 500)


def decoded(encoded):
    starts = np.concatenate([[0], encoded.line_ends[:-1]])
    words = encoded.counts.words
    return [
        [words[token] for token in encoded.tokens[start:end]]
        for start, end in zip(starts, encoded.line_ends, strict=True)
    ]


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@given(st.lists(st.lists(st.text("aäб'-", min_size=1, max_size=3), max_size=5), max_size=8))
def test_decoding_gives_the_lines_back(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("round-trip")
    (folder / "text").write_text("\n".join(map(" ".join, lines)), encoding="utf-8")
    corpus = Corpus(folder / "text", "xx", tokenized=True)
    filled = [line for line in lines if line]
    if not filled:
        with pytest.raises(JointalignError, match="got no word"):
            encode(corpus, folder / "encoded", workers=1)
        assert contents(folder / "encoded") == {}
        return
    encoded = encode(corpus, folder / "encoded", workers=1)
    assert decoded(encoded) == filled
    assert as_dict(encoded.counts) == Counter(word for line in lines for word in line)


def test_any_number_of_workers_gives_the_same_bytes(path, tmp_path, small_batches):
    for workers in (1, 2, 3):
        encode(Corpus(path), tmp_path / str(workers), workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "3")
    assert set(contents(tmp_path / "1")) == set(FILES)


@pytest.mark.parametrize("name", ["tokens.bin", "line_ends.bin", "words.bin", "counts.bin"])
def test_one_flipped_bit_anywhere_is_found(path, tmp_path, name):
    folder = tmp_path / "encoded"
    encode(Corpus(path), folder, workers=1)
    whole = (folder / name).read_bytes()
    for bit in np.random.default_rng(0).choice(8 * len(whole), 20, replace=False).tolist():
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        (folder / name).write_bytes(changed)
        with pytest.raises(JointalignError, match=rf"{name}: this is not as it was written"):
            EncodedCorpus.open(folder)
    (folder / name).write_bytes(whole)
    EncodedCorpus.open(folder)


@pytest.mark.parametrize("token", [-1, 1 << 20])
def test_a_number_that_no_word_has_is_found_whatever_the_digest_says(path, tmp_path, token):
    encode(Corpus(path), tmp_path, workers=1)
    tokens = np.fromfile(tmp_path / "tokens.bin", "<i4")
    tokens[5] = token
    tokens.tofile(tmp_path / "tokens.bin")
    info = json.loads((tmp_path / "info.json").read_text())
    info["digests"]["tokens"] = zlib.crc32(tokens.tobytes())
    (tmp_path / "info.json").write_text(json.dumps(info))
    with pytest.raises(JointalignError, match="not as it was written"):
        EncodedCorpus.open(tmp_path)


def test_size_of_batches_does_not_matter(path, tmp_path, monkeypatch):
    encode(Corpus(path), tmp_path / "one", 1)
    monkeypatch.setattr(corpus_module, "_BATCH_CHARACTERS", 100)
    monkeypatch.setattr("jointalign.corpora.encoding._BLOCK", 7)
    encode(Corpus(path), tmp_path / "many", 1)
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_fields(path, tmp_path):
    corpus = Corpus(path, "en", tokenized=True)
    encoded = encode(corpus, tmp_path / "encoded")
    expected = Counter(word for line in LINES for word in line.split())
    assert list(encoded.counts.words) == sorted(expected, key=lambda w: (-expected[w], w))
    assert encoded.counts.values.tolist() == sorted(expected.values(), reverse=True)
    assert (encoded.counts.lines, encoded.language) == (len(LINES), "en")
    assert (encoded.tokens.dtype, encoded.line_ends.dtype) == (np.int32, np.int64)
    assert isinstance(encoded.tokens, np.memmap) and not encoded.tokens.flags.writeable
    path.unlink()
    assert corpus.counts() is encoded.counts


def test_open_gives_the_same(path, tmp_path):
    encoded = encode(Corpus(path, "de"), tmp_path / "encoded")
    again = EncodedCorpus.open(tmp_path / "encoded")
    assert decoded(again) == decoded(encoded) == list(Corpus(path, "de").lines())
    assert (again.language, again.counts.lines) == ("de", len(LINES))
    assert as_dict(again.counts) == as_dict(encoded.counts)


def test_progress_counts_bytes(path, tmp_path, small_batches):
    calls = []
    encode(Corpus(path), tmp_path / "a", 1, lambda done, total, note: calls.append((done, total)))
    size = path.stat().st_size
    assert len(calls) > 10 and calls == sorted(calls) and calls[-1] == (size, size)


class TestReuse:
    def test_same_facts(self, path, tmp_path):
        encode(Corpus(path), tmp_path / "encoded", facts={"text": "a"})
        lines = decoded(EncodedCorpus.open(tmp_path / "encoded"))
        path.unlink()
        corpus = Corpus(path)
        assert decoded(encode(corpus, tmp_path / "encoded", facts={"text": "a"})) == lines
        assert corpus.counts().lines == len(lines)

    @pytest.mark.parametrize(
        ("first", "second"), [({"text": "a"}, {"text": "b"}), (None, None), ({"text": "a"}, None)]
    )
    def test_other_facts_or_none(self, path, tmp_path, first, second):
        earlier = encode(Corpus(path), tmp_path / "encoded", facts=first)
        lines = decoded(earlier)
        path.write_text("something else")
        later = encode(Corpus(path), tmp_path / "encoded", facts=second)
        assert decoded(later) == [["something", "else"]]
        assert decoded(earlier) == lines  # still mapped, so its files must not have been touched

    def test_a_failure_makes_the_folder_incomplete(self, path, tmp_path):
        encode(Corpus(path), tmp_path / "encoded", facts={"text": "a"})
        path.write_bytes(b"\xff")
        with pytest.raises(FormatError):
            encode(Corpus(path), tmp_path / "encoded", facts={"text": "b"})
        with pytest.raises(JointalignError, match="no complete encoded corpus"):
            EncodedCorpus.open(tmp_path / "encoded")

    @pytest.mark.parametrize("name", ["tokens.bin", "line_ends.bin", "words.bin", "counts.bin", "info.json"])
    def test_a_shortened_file_counts_as_incomplete(self, path, tmp_path, name):
        folder = tmp_path / "encoded"
        encode(Corpus(path), folder, facts={"text": "a"})
        whole = contents(folder)
        (folder / name).write_bytes(whole[name][: len(whole[name]) // 2])
        with pytest.raises(JointalignError, match="encode .* again"):
            EncodedCorpus.open(folder)
        encode(Corpus(path), folder, facts={"text": "a"})
        assert contents(folder) == whole

    def test_what_a_killed_run_leaves_is_overwritten(self, path, tmp_path):
        folder = tmp_path / "encoded"
        folder.mkdir()
        (folder / "tokens.bin").write_bytes(b"12345")
        encode(Corpus(path), folder, facts={"text": "a"})
        assert set(contents(folder)) == set(FILES)

    def test_other_layout(self, path, tmp_path):
        encode(Corpus(path), tmp_path, facts={"text": "a"})
        info = json.loads((tmp_path / "info.json").read_text())
        (tmp_path / "info.json").write_text(json.dumps(info | {"layout": 0}))
        with pytest.raises(JointalignError, match="no complete encoded corpus"):
            EncodedCorpus.open(tmp_path)


def test_no_folder_can_be_made_inside_a_file(path):
    with pytest.raises(JointalignError, match="not a folder"):
        encode(Corpus(path), path / "encoded")


@pytest.mark.data
class TestRealText:
    @pytest.fixture
    def data(self):
        if "JOINTALIGN_DATA" not in os.environ:
            pytest.skip("JOINTALIGN_DATA does not name a folder with real corpora")
        return Path(os.environ["JOINTALIGN_DATA"])

    @pytest.mark.parametrize(
        ("language", "text", "lexicon", "column"),
        [("en", "novels.en", "en-es", 0), ("fr", "europarl.fr", "en-fr", 1)],
    )
    def test_words_are_those_of_dictionaries(self, data, tmp_path, language, text, lexicon, column):
        lines = Corpus(data / f"mono/{text}.txt.bz2", "xx", tokenized=True, lowercase=False).lines()
        (tmp_path / "text").write_text("\n".join(map(" ".join, islice(lines, 30_000))))
        counts = encode(Corpus(tmp_path / "text", language), tmp_path / "encoded").counts
        expected = Counter()
        tokenize = tokenizer(language)
        for line in (tmp_path / "text").read_text().split("\n"):
            expected.update(tokenize(line))
        assert as_dict(counts) == expected
        # Cutting at every character that is no letter finds as many entries as any rule can.
        letters = "".join(c if c.isalpha() else " " for word in counts for c in word + " ")
        rows = (data / f"lexicons/{lexicon}.0-5000.txt").read_text().splitlines()
        entries = {row.split()[column] for row in rows}
        found = entries & set(counts)
        assert len(found) > 0.98 * len(entries & set(letters.split()))
        assert len(found) > 0.6 * len(entries)
