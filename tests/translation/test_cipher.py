"""The toy says the same in both languages, and no training sentence is held out."""

from collections import Counter

from jointalign.translation.cipher import CipherSettings, make_cipher

CIPHER = make_cipher(CipherSettings(sentences=300, held_out=20))


def test_translations_have_the_same_words_in_another_order():
    translations = dict(CIPHER.lexicon.pairs)
    moved = 0
    for source, target in (*CIPHER.train, *CIPHER.test):
        word_by_word = [translations[word] for word in source.split()]
        assert Counter(word_by_word) == Counter(target.split())
        moved += word_by_word != target.split()
    assert moved > 0.5 * len(CIPHER.train)


def test_the_verb_can_come_last_in_the_cipher_alone():
    turned = make_cipher(CipherSettings(sentences=300, held_out=20, verb_last=True))
    kinds = zip(turned.lexicon, turned.kinds, strict=True)
    source, target = zip(*(words for words, kind in kinds if kind == "verb"), strict=True)
    assert not any(line.split()[-1] in source for line, _ in turned.train)
    assert all(line.split()[-1] in target for _, line in turned.train)
    assert turned.source_lines == CIPHER.source_lines


def test_halves_are_different_scenes_and_held_out_ones_new():
    assert CIPHER.source_lines == tuple(s for s, _ in CIPHER.train[:300])
    assert CIPHER.target_lines == tuple(t for _, t in CIPHER.train[300:])
    seen = {line for pair in CIPHER.train for line in pair}
    assert not seen & {line for pair in (*CIPHER.test, *CIPHER.validation) for line in pair}


def test_some_words_are_names_and_some_false_friends():
    alike = [s for s, t in CIPHER.lexicon if s == t]
    assert len(alike) == 20
    translations = dict(CIPHER.lexicon.pairs)
    targets = set(translations.values())
    friends = [s for s, t in translations.items() if s != t and s in targets]
    assert len(friends) == 6


def test_one_seed_one_cipher():
    settings = CipherSettings(sentences=20, held_out=5)
    assert make_cipher(settings, 3).train == make_cipher(settings, 3).train
    assert make_cipher(settings, 3).train != make_cipher(settings, 4).train


def test_oracle_vectors_put_translations_together():
    space = CIPHER.vectors(64, noise=0.5)
    similar = (space.source_only.vectors * space.target_only.vectors).sum(axis=1)
    assert similar.mean() > 0.7
    assert abs((space.source_only.vectors[1:] * space.target_only.vectors[:-1]).sum(1).mean()) < 0.1
