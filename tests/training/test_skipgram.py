import errno
import os
from dataclasses import replace

import numpy as np
import pytest

from jointalign.cli.app import run
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import EncodedCorpus, encode
from jointalign.errors import JointalignError
from jointalign.storage.checkpoint import or_fresh
from jointalign.training import _course
from jointalign.training._checkpoint import NAME
from jointalign.training.base import Balance, Noise, Work
from jointalign.training.skipgram import SkipGram

SMALL = SkipGram(dimensions=24, epochs=4, minimum_count=2, buckets=5000)


def topical_text(seed, topics=8, words=12, sentences=1500, prefix=""):
    """Sentences that each draw all words from one topic; word `<topic>x<number>`."""
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(sentences):
        topic = random.integers(topics)
        numbers = random.integers(words, size=10)
        lines.append(" ".join(f"{prefix}{chr(97 + topic) * 3}x{number}" for number in numbers))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "topics.txt"
    path.write_text(topical_text(0))
    return path


def corpus(path):
    return Corpus(path, language="en", tokenized=True)


def purity(embedding, same):
    """Share of words whose nearest neighbour is of the same topic."""
    vectors = embedding.vectors / np.linalg.norm(embedding.vectors, axis=1, keepdims=True)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1)
    nearest = scores.argmax(axis=1)
    words = embedding.words
    return np.mean([same(words[row]) == same(words[best]) for row, best in enumerate(nearest)])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("maximum_ngram", [0, 6])
def test_words_of_one_topic_come_together(text, threads, maximum_ngram):
    trainer = SkipGram(
        dimensions=24, epochs=5, minimum_count=2, buckets=5000, maximum_ngram=maximum_ngram, subsampling=0.0
    )
    trained = trainer.fit(corpus(text), threads=threads)
    assert len(trained) == 96
    assert purity(trained, lambda word: word[0]) > 0.95
    assert (trained.subwords is None) == (maximum_ngram == 0)


def test_untrained_words_do_not(text):
    lazy = SkipGram(dimensions=24, epochs=1, minimum_count=2, maximum_ngram=0, learning_rate=1e-6)
    assert purity(lazy.fit(corpus(text), threads=1), lambda word: word[0]) < 0.5


def test_one_thread_and_one_seed_give_the_same_bytes(text):
    first = SMALL.fit(corpus(text), threads=1, seed=3)
    again = SMALL.fit(corpus(text), threads=1, seed=3)
    other = SMALL.fit(corpus(text), threads=1, seed=4)
    assert first.words == again.words
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.subwords.vectors, again.subwords.vectors)
    assert not np.array_equal(first.vectors, other.vectors)


class Killed(BaseException):
    pass


def test_a_stopped_training_goes_on_to_the_same_bytes(text, tmp_path, monkeypatch):
    longer = replace(SMALL, epochs=60)
    undisturbed = longer.fit(corpus(text), threads=1)
    monkeypatch.setattr(_course, "REPORT_SECONDS", 0.001)
    stopped_at = []

    def kill_after_a_checkpoint(done, total, note=""):
        if (tmp_path / NAME).exists() and done > max(stopped_at, default=0) + 20_000:
            stopped_at.append(done)
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            longer.fit(
                corpus(text),
                threads=1,
                folder=tmp_path,
                progress=kill_after_a_checkpoint,
                checkpoint_seconds=0.0,
            )
    seen = []
    resumed = longer.fit(
        corpus(text),
        threads=1,
        folder=tmp_path,
        progress=lambda done, total, note="": seen.append(done) if "words/s" in note else None,
    )
    assert seen[0] > 0, "it started from the beginning"
    np.testing.assert_array_equal(undisturbed.vectors, resumed.vectors)
    np.testing.assert_array_equal(undisturbed.subwords.vectors, resumed.subwords.vectors)


@pytest.mark.parametrize(
    ("change", "difference"),
    [("seed", "(seed: 0, now 1)"), ("epochs", "(epochs: 60, now 61)"), ("text", "(text: ")],
)
def test_a_checkpoint_of_another_training_is_refused(text, tmp_path, monkeypatch, change, difference):
    monkeypatch.setattr(_course, "REPORT_SECONDS", 0.001)
    folder, path = tmp_path / "folder", tmp_path / "text.txt"
    lines = text.read_text().splitlines(keepends=True)
    path.write_text("".join(lines))
    longer = replace(SMALL, epochs=60)
    longer.fit(corpus(path), threads=1, folder=folder, checkpoint_seconds=0.0)
    kept = (folder / NAME).read_bytes()
    if change == "text":  # the same words equally often, in another order
        path.write_text("".join(reversed(lines)))
    trainer = replace(SMALL, epochs=61) if change == "epochs" else longer
    seed = 1 if change == "seed" else 0
    fresh = trainer.fit(corpus(path), threads=1, seed=seed)
    with pytest.raises(JointalignError) as caught:
        trainer.fit(corpus(path), threads=1, seed=seed, folder=folder)
    assert difference in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (folder / NAME).read_bytes() == kept
    again = or_fresh(lambda: trainer.fit(corpus(path), threads=1, seed=seed, folder=folder), True)
    np.testing.assert_array_equal(again.vectors, fresh.vectors)


def test_a_damaged_checkpoint_is_not_used(text, tmp_path, caplog):
    (tmp_path / NAME).write_bytes(b"rubbish")
    again = SMALL.fit(corpus(text), threads=1, folder=tmp_path)
    assert "is damaged; it is begun again" in caplog.text
    np.testing.assert_array_equal(again.vectors, SMALL.fit(corpus(text), threads=1).vectors)


def test_a_checkpoint_that_cannot_be_written_is_bad_luck_not_a_bug(text, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    corpus_folder = tmp_path / "corpus-0"
    encode(corpus(text), corpus_folder)
    monkeypatch.setattr(_course, "REPORT_SECONDS", 0.001)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JointalignError, match="space"):
        replace(SMALL, epochs=60).fit_encoded(
            [EncodedCorpus.open(corpus_folder)], work=Work(0, 1, tmp_path, checkpoint_seconds=0.0)
        )


def test_two_languages_share_one_vocabulary(text, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(topical_text(1, prefix="es") + topical_text(2, sentences=200))
    both = SMALL.fit([corpus(text), Corpus(other, language="es", tokenized=True)], threads=1)
    assert len(both) == 192
    assert "aaax1" in both
    assert "esaaax1" in both
    assert both.settings["languages"] == "en es"


def test_balance_repeats_the_smaller_corpus(text, tmp_path):
    small = tmp_path / "small.txt"
    small.write_text(topical_text(1, sentences=150, prefix="es"))
    corpora = [corpus(text), Corpus(small, language="es", tokenized=True)]
    repeated = SMALL.fit(corpora, threads=1)
    counts = dict(zip(repeated.words, repeated.vocabulary.counts.tolist(), strict=True))
    spanish = sum(count for word, count in counts.items() if word.startswith("es"))
    english = sum(count for word, count in counts.items() if not word.startswith("es"))
    assert spanish == pytest.approx(english, rel=0.01)
    once = SkipGram(dimensions=8, epochs=1, minimum_count=2, maximum_ngram=0, balance=Balance.NONE).fit(
        corpora, threads=1
    )
    counts = dict(zip(once.words, once.vocabulary.counts.tolist(), strict=True))
    assert sum(count for word, count in counts.items() if word.startswith("es")) == 1500


def test_unseen_words_come_near_their_relatives(text):
    trained = SMALL.fit(corpus(text), threads=1)
    assert "aaax99" not in trained
    made = trained.vector("aaax99")

    def similarity(letter):
        others = np.array([trained.vector(f"{letter * 3}x{number}") for number in range(12)])
        return np.mean(others @ made / np.linalg.norm(others, axis=1))

    assert all(similarity("a") > similarity(letter) for letter in "bcdefgh")


def test_progress_ends_at_the_total(text):
    seen = []
    SMALL.fit(corpus(text), threads=1, progress=lambda *report: seen.append(report))
    assert seen[-1][0] == seen[-1][1] == pytest.approx(4 * 15_000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dimensions": 0}, "dimensions must be at least 1, got 0"),
        ({"minimum_ngram": 7}, "n-gram lengths must satisfy"),
        ({"learning_rate": 0.0}, "learning_rate must lie in"),
        ({"learning_rate": float("nan")}, "learning_rate must lie in"),
        ({"balance": "words"}, "balance must be tokens, lines or none"),
        ({"noise": "none"}, "noise must be joint or language"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(JointalignError, match=message):
        SkipGram(**changes)


@pytest.mark.parametrize("noise", list(Noise))
def test_with_noise_by_language_only_shared_words_and_ngrams_join_languages(text, tmp_path, noise):
    trainer = replace(SMALL, maximum_ngram=0, epochs=1, noise=noise)
    lines = topical_text(1, prefix="es").splitlines()
    random = np.random.default_rng(0)
    words = random.permutation(" ".join(lines).split()).reshape(-1, 10)
    found = []
    for name, spanish in (("plain", lines), ("mixed", [" ".join(line) for line in words.tolist()])):
        (tmp_path / name).write_text("\n".join(spanish) + "\n")
        corpora = [corpus(text), Corpus(tmp_path / name, language="es", tokenized=True)]
        found.append(trainer.fit(corpora, threads=1))
    plain, mixed = found
    english = np.array([not word.startswith("es") for word in plain.words])
    assert plain.words == mixed.words
    assert not np.array_equal(plain.vectors[~english], mixed.vectors[~english])
    # What the Spanish text says changes an English word only through joint noise.
    alike = np.array_equal(plain.vectors[english], mixed.vectors[english])
    assert alike == (noise is Noise.LANGUAGE)


def test_noise_by_language_is_joint_noise_for_one_language(text):
    joint = SMALL.fit(corpus(text), threads=1)
    language = replace(SMALL, noise="language").fit(corpus(text), threads=1)
    np.testing.assert_array_equal(joint.vectors, language.vectors)


def test_balance_may_be_a_plain_word():
    assert SkipGram(balance="lines").balance is Balance.LINES


def test_no_corpus():
    with pytest.raises(JointalignError, match="at least one corpus"):
        SMALL.fit([])


def test_a_word_too_long_for_any_rule(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("\n".join(["x" * 5000 + " and and and"] * 5))
    trained = SkipGram(dimensions=8, epochs=1, minimum_count=2).fit(corpus(path), threads=1)
    assert np.isfinite(trained.vectors).all()


def test_a_line_longer_than_a_sentence_is_cut_not_lost(tmp_path):
    path = tmp_path / "line.txt"
    path.write_text(topical_text(0).replace("\n", " ") + "\n")
    trained = SkipGram(dimensions=24, epochs=5, minimum_count=2, maximum_ngram=0, subsampling=0.0).fit(
        corpus(path), threads=1
    )
    assert purity(trained, lambda word: word[0]) > 0.9


def test_the_command_refuses_what_was_begun_with_other_settings(text, tmp_path, monkeypatch, capsys):
    out = tmp_path / "words.vec"
    sizes = ["--dimensions", "8", "--epochs", "60", "--buckets", "1000", "--threads", "1"]
    given = ["train", "--input", str(text), "--language", "en", "--out", str(out), *sizes]
    monkeypatch.setattr(_course, "REPORT_SECONDS", 0.001)

    def stopped(embedding, path):
        raise JointalignError("stopped")

    with monkeypatch.context() as stopping:
        stopping.setattr("jointalign.formats.api.write", stopped)
        assert run([*given, "--checkpoint-seconds", "0"]) == 2
    checkpoint = tmp_path / "words.vec.training" / NAME
    kept = checkpoint.read_bytes()
    capsys.readouterr()
    assert run([*given, "--seed", "1"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "(seed: 0, now 1)" in errors[0]
    assert checkpoint.read_bytes() == kept
    assert not out.exists()
    assert run([*given, "--seed", "1", "--fresh"]) == 0
    assert "removed" in capsys.readouterr().err
    fresh = out.read_bytes()
    assert run([*given, "--seed", "1"]) == 0
    assert out.read_bytes() == fresh
