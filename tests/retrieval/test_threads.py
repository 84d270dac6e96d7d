"""Threads that ask one space: each gets what it would get alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from jointalign.dictionary.api import Translations
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.retrieval import _pruning
from jointalign.vocabulary import Vocabulary

WORDS = 600


def space(seed=0):
    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal((WORDS, 6), dtype=np.float32) for _ in range(2)]
    rows[1] += 2 * rows[0]
    sides = [
        Embedding(Vocabulary(tuple(f"{side}{row}" for row in range(WORDS))), vectors)
        for side, vectors in zip("st", rows, strict=True)
    ]
    return BilingualEmbedding.separate(*sides)


@pytest.fixture(autouse=True)
def pruned(monkeypatch):
    """Small spaces are searched like large ones."""
    monkeypatch.setattr(_pruning, "SMALLEST", 1)


def asked(words, translations):
    return [translations.of([word], count=5, mutual=True)[0] for word in words]


@pytest.mark.parametrize("seed", range(4))
def test_what_one_thread_learns_spoils_no_list_of_another(monkeypatch, seed):
    """One thread has its list of candidates; then the other one betters the bounds of some of them."""
    words = [f"s{row}" for row in range(0, WORDS, 7)]
    mine, others = words[: len(words) // 2], words[len(words) // 2 :]
    right = Translations(space(seed)).of(mine, count=5)
    translations = Translations(space(seed))
    translations.of(others[:1], count=5)  # the bounds are there before either asks
    listed, done, top = threading.Event(), threading.Event(), _pruning.top

    def slow(*arguments):
        found = top(*arguments)
        if threading.current_thread().name == "mine" and not listed.is_set() and len(arguments) == 4:
            listed.set()
            done.wait(0.5)  # in vain where the other one has to wait for this one
        return found

    def ask_others():
        listed.wait(5)
        translations.of(others, count=5)
        done.set()

    monkeypatch.setattr(_pruning, "top", slow)
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(translations.of(mine, count=5)), name="mine"),
        threading.Thread(target=ask_others),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert listed.is_set()
    assert found == right


def test_four_threads_that_ask_word_by_word_agree():
    one = space()
    words = [f"s{row}" for row in range(0, WORDS, 9)]
    right = asked(words, Translations(one))
    shared = Translations(one)
    orders = [np.random.default_rng(seed).permutation(len(words)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        lists = list(pool.map(lambda order: asked([words[at] for at in order], shared), orders))
    for order, found in zip(orders, lists, strict=True):
        assert found == [right[at] for at in order]
