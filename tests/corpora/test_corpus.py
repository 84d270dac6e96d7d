"""Corpora: reading, counting and worker processes, against a plain split and a `Counter`."""

import bz2
import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from jointalign.corpora import corpus as corpus_module
from jointalign.corpora.corpus import Corpus, Tally
from jointalign.errors import FormatError, JointalignError

LINES = [f"the {'old ' * (i % 3)}house number {i % 17} of w{i}" for i in range(300)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "en.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(corpus_module, "_BATCH_CHARACTERS", 500)


def decoded(batches):
    """The lines that batches stand for."""
    for batch in batches:
        assert batch.tokens.dtype == np.int32
        ends = np.cumsum(batch.lengths)
        for start, end in zip(ends - batch.lengths, ends, strict=True):
            yield [batch.words[token] for token in batch.tokens[start:end]]


class TestLines:
    def test_tokenized(self, path):
        assert list(Corpus(path, tokenized=True).lines()) == [line.split() for line in LINES]

    def test_raw_and_again(self, tmp_path):
        path = tmp_path / "fr.txt"
        path.write_text("L'homme.\n\n \t\nÀ Paris\n", encoding="utf-8")
        corpus = Corpus(path, language="fr")
        expected = [["l'", "homme", "."], ["à", "paris"]]
        assert list(corpus.lines()) == expected
        assert list(corpus.lines()) == expected
        assert list(Corpus(path, "fr", lowercase=False).lines())[1] == ["À", "Paris"]

    def test_several_files_one_compressed(self, path, tmp_path):
        other = tmp_path / "more.txt.bz2"
        other.write_bytes(bz2.compress(b"a last line"))
        corpus = Corpus([path, str(other)], tokenized=True)
        assert list(corpus.lines()) == [line.split() for line in LINES] + [["a", "last", "line"]]

    def test_no_file_at_all(self):
        with pytest.raises(JointalignError, match="at least one file"):
            Corpus([])

    def test_missing_file(self, tmp_path):
        with pytest.raises(JointalignError, match="no such file"):
            next(Corpus(tmp_path / "none.txt").lines())

    @pytest.mark.parametrize("workers", [1, 2])
    def test_bad_bytes_name_their_line(self, tmp_path, small_batches, workers):
        path = tmp_path / "bad.txt"
        path.write_bytes("\n".join(LINES).encode() + b"\nfa\xe7ade\n")
        with pytest.raises(FormatError, match=f"bad.txt, line {len(LINES) + 1}: expected UTF-8"):
            Corpus(path).counts(workers)


class TestLongLines:
    """Some corpora, such as text8, are one line."""

    @pytest.fixture
    def one_line(self, tmp_path):
        path = tmp_path / "one.txt"
        path.write_text("a short line\n" + " ".join(LINES) + "\nand a last one\n")
        return path

    @pytest.mark.parametrize("workers", [1, 2])
    def test_are_cut_between_words(self, one_line, small_batches, monkeypatch, caplog, workers):
        monkeypatch.setattr(corpus_module, "LONGEST_LINE", 1000)
        caplog.set_level("INFO")
        corpus = Corpus(one_line, tokenized=True)
        batches = list(corpus.batches(workers))
        assert len(batches) > 5 and max(len(batch.tokens) for batch in batches) < 500
        assert [word for line in decoded(batches) for word in line] == one_line.read_text().split()
        assert sum(batch.empty_lines for batch in batches) == 0
        lines = list(corpus.lines())
        assert lines == list(decoded(batches))
        assert f"one.txt: 1 line too long, cut into {len(lines) - 2} pieces" in caplog.text

    def test_the_limit_is_a_megabyte(self, tmp_path, caplog):
        path = tmp_path / "one.txt"
        caplog.set_level("INFO")
        path.write_text("word " * 200_000)
        assert Corpus(path).counts(1).lines == 1
        assert not caplog.text
        path.write_text("word " * 1_000_000)
        counts = Corpus(path).counts(1)
        assert (counts["word"], counts.lines) == (1_000_000, 5)


class TestStandardInput:
    @pytest.fixture(autouse=True)
    def text(self, monkeypatch):
        text = io.TextIOWrapper(io.BytesIO(b"one two\ntwo\n"), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", text)

    def test_is_read_once(self):
        corpus = Corpus("-")
        assert list(corpus.lines()) == [["one", "two"], ["two"]]
        with pytest.raises(JointalignError, match="only once"):
            next(corpus.lines())

    def test_counts_are_remembered(self):
        corpus = Corpus("-")
        assert corpus.counts()["two"] == 2
        assert corpus.counts()["two"] == 2
        with pytest.raises(JointalignError, match="only once"):
            next(corpus.lines())


class TestCounts:
    @pytest.mark.parametrize("workers", [1, 2, None])
    def test_like_a_counter(self, path, small_batches, workers):
        expected = Counter(word for line in LINES for word in line.split())
        counts = Corpus(path, tokenized=True).counts(workers)
        assert dict(zip(counts.words, counts.values.tolist(), strict=True)) == expected
        assert list(counts.words) == sorted(expected, key=lambda word: (-expected[word], word))
        assert counts.lines == len(LINES)
        assert counts.total == sum(expected.values())

    def test_remembered(self, path):
        corpus = Corpus(path)
        counts = corpus.counts()
        path.unlink()
        assert corpus.counts() is counts

    def test_empty_lines_are_reported(self, tmp_path, caplog):
        path = tmp_path / "en.txt"
        path.write_text("\nword\n\n")
        caplog.set_level("INFO")
        assert Corpus(path).counts().lines == 1
        assert "2 empty lines" in caplog.text

    @pytest.mark.parametrize("content", ["", "\n \n\t\n"])
    def test_without_a_word(self, tmp_path, content):
        path = tmp_path / "empty.txt"
        path.write_text(content)
        with pytest.raises(JointalignError, match=r"empty.txt: expected text, got no word"):
            Corpus(path).counts()

    def test_more_words_than_first_room_for_them(self, tmp_path):
        path = tmp_path / "many.txt"
        path.write_text(" ".join(f"w{i}" for i in range(200_000)) + " w7")
        counts = Corpus(path, tokenized=True).counts()
        assert (len(counts), counts.words[0], counts.total) == (200_000, "w7", 200_001)


class TestBatches:
    @pytest.mark.parametrize("workers", [1, 2, 3])
    def test_say_the_same_as_lines(self, path, small_batches, workers):
        corpus = Corpus(path)
        batches = list(corpus.batches(workers))
        assert len(batches) > 10
        assert list(decoded(batches)) == list(corpus.lines())
        assert sum(batch.size for batch in batches) == path.stat().st_size

    def test_numbers_of_a_tally_hold_for_all_batches(self, path, small_batches):
        tally = Tally()
        numbers = np.concatenate([tally.add(batch) for batch in Corpus(path).batches(1)])
        counts, rows = tally.finish()
        words = [word for line in Corpus(path).lines() for word in line]
        assert [counts.words[row] for row in rows[numbers]] == words

    def test_workers_must_be_one_at_least(self, path):
        with pytest.raises(JointalignError, match="at least 1 worker, got 0"):
            Corpus(path).counts(workers=0)

    def test_few_are_on_their_way_at_a_time(self):
        given = 0

        def texts():
            nonlocal given
            while True:
                given += 1
                yield "a b c"

        batches = corpus_module._encode_all(str.split, texts(), workers=2)
        for received, _ in zip(range(1, 40), batches, strict=False):
            assert given - received <= 5
        batches.close()

    def test_no_process_is_left_when_the_reader_stops(self, path, small_batches):
        batches = Corpus(path).batches(2)
        next(batches)
        assert children(os.getpid())
        batches.close()
        assert not children(os.getpid())

    def test_a_dead_worker_is_an_error(self, path, small_batches):
        batches = Corpus(path).batches(2)
        next(batches)
        for pid in children(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(JointalignError, match="fewer workers"):
            list(batches)
        assert not children(os.getpid())


class TestKilling:
    """A process that waits for its standard input amid encoding, with two workers."""

    # A shell that starts the tests in the background has them ignore interrupts.
    SCRIPT = """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from jointalign.corpora import corpus
        from jointalign.corpora import encoding
        corpus._BATCH_CHARACTERS = 500
        encoding.encode(corpus.Corpus("-"), "encoded", workers=2)
    """

    @pytest.fixture
    def process(self, tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(self.SCRIPT)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdin is not None
        process.stdin.write("\n".join(LINES * 10).encode())
        process.stdin.flush()
        wait_until(lambda: len(children(process.pid)) == 2)
        yield process
        process.kill()
        process.communicate()

    def test_interrupt_ends_workers_and_leaves_no_file(self, process, tmp_path):
        workers = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert errors.decode().strip().endswith("KeyboardInterrupt")
        assert not any(map(running, workers))
        assert list((tmp_path / "encoded").iterdir()) == []

    def test_workers_end_with_a_killed_parent(self, process, tmp_path):
        workers = children(process.pid)
        process.kill()
        wait_until(lambda: not any(map(running, workers)))
        assert not (tmp_path / "encoded" / "info.json").exists()


def children(pid):
    """The running child processes of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split() if running(child)]


def running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
