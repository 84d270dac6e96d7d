"""Maps by layer: planted ones are found, and retrieval gets better on real pairs of words."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from jointalign.alignment.base import Mapping
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.cli.app import run
from jointalign.contextual import (
    AlignedText,
    CrossCovariances,
    Encoder,
    FeatureSettings,
    FeatureSide,
    LayerMappings,
    MappingSettings,
    Solution,
    fit_aligner,
    learn_mappings,
    mapping_settings,
    read_aligned_text,
    read_layer_mappings,
    write_features,
    write_layer_mappings,
)
from jointalign.contextual._mapping import PairWeights, Sample
from jointalign.contextual.base import Combine
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.checkpoint import OtherWorkError, or_fresh
from jointalign.word_alignment import Links
from tiny_encoder import save_tiny_bert


def turned(seed, dimensions=12, pairs=400, noise=0.0):
    """Source rows, target rows, and the turn between them."""
    generator = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(generator.normal(size=(dimensions, dimensions)))
    x = generator.normal(size=(pairs, dimensions)) * generator.uniform(0.5, 2, dimensions)
    return x, x @ turn + noise * generator.normal(size=x.shape), turn


def summed(x, z, solution=Solution.ORTHOGONAL, weights=None):
    """Sums over all pairs, taken in parts."""
    sums = CrossCovariances(x.shape[1], solution)
    for start in range(0, len(x), 90):
        part = slice(start, start + 90)
        sums.add(x[part], z[part], None if weights is None else weights[part])
    return sums


def moved(mapping, rows, side):
    layers = LayerMappings({0: mapping})
    return layers.moved(rows[None].astype(np.float32), [0], side)[0]


@pytest.mark.parametrize("side", list(FeatureSide))
def test_a_planted_turn_is_found_from_either_side(side):
    x, z, turn = turned(0)
    mapping = summed(x, z, Solution.PLAIN).solve(side)
    moving, stays = (mapping.source, mapping.target)[:: 1 if side is FeatureSide.SOURCE else -1]
    np.testing.assert_allclose(moving, turn if side is FeatureSide.SOURCE else turn.T, atol=1e-4)
    np.testing.assert_array_equal(stays, np.eye(12))


@pytest.mark.parametrize("side", list(FeatureSide))
@pytest.mark.parametrize("solution", [Solution.ORTHOGONAL, Solution.LEAST_SQUARES, Solution.WHITENED])
def test_both_sides_of_a_planted_turn_meet(solution, side):
    x, z, turn = turned(0)
    lengths = np.random.default_rng(1).uniform(0.5, 3, (400, 1))  # as lengths must not matter
    mapping = summed(x * lengths, z, solution).solve(side)
    ours, theirs = moved(mapping, x, FeatureSide.SOURCE), moved(mapping, z, FeatureSide.TARGET)
    np.testing.assert_allclose(ours, theirs, atol=0.02 * np.abs(theirs).max())
    # Features keep the size that they have: that of the side that stays.
    stays = z if side is FeatureSide.SOURCE else x * lengths
    size = np.sqrt((theirs**2).sum(1).mean() / (stays**2).sum(1).mean())
    assert abs(size - 1) < (0.1 if solution is Solution.WHITENED else 0.01)


def test_means_do_not_decide_the_turn():
    """Eq. (1) as it stands turns one mean onto the other, and bends the rest to it."""
    x, z, turn = turned(6, noise=1.0)
    x[:, 0] += 3
    z[:, 1] += 3
    errors = {}
    for solution in (Solution.PLAIN, Solution.ORTHOGONAL):
        found = summed(x, z, solution).solve().source
        errors[solution] = np.linalg.norm(found / np.linalg.norm(found[0]) - turn)
    assert errors[Solution.ORTHOGONAL] < 0.3 * errors[Solution.PLAIN]


def test_frequent_words_do_not_decide_the_turn():
    """Every second pair is one wrong pair of frequent words; pairs of rare words have a turn."""
    generator = np.random.default_rng(0)
    x, z, turn = turned(8, noise=0.1)
    frequent = np.arange(400) % 2 == 0
    x[frequent] = 3 * x[:1] + 0.3 * generator.normal(size=(200, 12))
    z[frequent] = 3 * z[1:2] + 0.3 * generator.normal(size=(200, 12))
    sources = [["the" if common else f"word{k}"] for k, common in enumerate(frequent)]
    targets = [["el" if common else f"palabra{k}"] for k, common in enumerate(frequent)]
    weights = PairWeights(sources, targets, 1e-2)
    link = np.zeros((1, 2), int)
    given = [weights(a, b, link) for a, b in zip(sources, targets, strict=True)]
    given = np.concatenate(given)
    assert given[0] == pytest.approx(1 / 51) and given[1] == pytest.approx(1 / 1.25)
    errors = {}
    for name, used in (("weighted", given), ("counted", None)):
        found = summed(x, z, Solution.ORTHOGONAL, used).solve().source
        errors[name] = np.linalg.norm(found / np.linalg.norm(found[0]) - turn)
    assert errors["weighted"] < 0.6 * errors["counted"]


def test_the_sums_equal_their_formulas_on_all_pairs_at_once():
    """Centred, weighted, of length one: everything computed again from all rows."""
    x, z, _ = turned(2, noise=0.5)
    x, z = x + 3, z - 2
    weights = np.random.default_rng(0).uniform(0.1, 1, 400)
    u, _, vt = np.linalg.svd(x.T @ z)
    np.testing.assert_allclose(summed(x, z, Solution.PLAIN).solve().source, u @ vt, atol=1e-5)
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, z))
    share = weights / weights.sum()
    a, b = one - share @ one, other - share @ other
    u, _, vt = np.linalg.svd((a * share[:, None]).T @ b)
    mapping = summed(x, z, Solution.ORTHOGONAL, weights).solve()
    size = np.sqrt(share @ (z**2).sum(1))
    np.testing.assert_allclose(mapping.source, size * u @ vt, atol=1e-4)
    np.testing.assert_allclose(mapping.target, size * np.eye(12), atol=1e-4)
    np.testing.assert_allclose(mapping.source_means[0], share @ one, atol=1e-6)
    np.testing.assert_allclose(mapping.target_means[0], share @ other, atol=1e-6)


def test_a_weight_is_as_good_as_so_many_copies():
    x, z, _ = turned(7, pairs=60, noise=0.5)
    copies = np.random.default_rng(0).integers(1, 4, 60)
    for solution in (Solution.ORTHOGONAL, Solution.WHITENED, Solution.PLAIN):
        weighted = summed(x, z, solution, copies).solve()
        copied = summed(x.repeat(copies, 0), z.repeat(copies, 0), solution).solve()
        np.testing.assert_allclose(weighted.source, copied.source, atol=1e-5)


def test_least_squares_finds_what_no_turn_can():
    x, _, _ = turned(1)
    stretch = np.diag(np.linspace(0.2, 3, 12))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    z = x @ stretch
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    errors = {}
    for solution in (Solution.ORTHOGONAL, Solution.LEAST_SQUARES):
        mapping = summed(x, z, solution).solve()
        ours, theirs = moved(mapping, x, FeatureSide.SOURCE), moved(mapping, z, FeatureSide.TARGET)
        ours /= np.linalg.norm(ours, axis=1, keepdims=True)
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
        errors[solution] = 1 - (ours * theirs).sum(1).mean()
    assert errors[Solution.LEAST_SQUARES] < 0.2 * errors[Solution.ORTHOGONAL]


def test_the_ridge_helps_where_pairs_are_few():
    """Against no ridge: new pairs are nearer on average over ten draws."""
    gains = []
    for seed in range(10):
        x, z, _ = turned(seed, dimensions=30, pairs=1040, noise=2.0)
        sums = summed(x[:40], z[:40], Solution.LEAST_SQUARES)
        one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, z))
        a, b = (rows - rows[:40].mean(0) for rows in (one, other))
        bare = a[40:] @ np.linalg.lstsq(a[:40], b[:40], rcond=None)[0]
        ours = moved(sums.solve(), x[40:], FeatureSide.SOURCE)
        cosines = [
            ((rows / np.linalg.norm(rows, axis=1, keepdims=True)) * b[40:]).sum(1).mean()
            for rows in (ours, bare)
        ]
        gains.append(cosines[0] - cosines[1])
    assert np.mean(gains) > 0 and min(gains) > -0.01


@pytest.mark.parametrize("aligner", [Procrustes(), RCSLS(steps=3)])
def test_methods_of_the_project_learn_from_pairs(aligner):
    x, z, turn = turned(3)
    mapping = fit_aligner(aligner, x, z)
    moved = x @ mapping.source
    cosines = (moved * z).sum(1) / np.linalg.norm(moved, axis=1) / np.linalg.norm(z, axis=1)
    assert cosines.min() > 0.95


def test_nothing_seen_is_an_error():
    with pytest.raises(JointalignError, match="no aligned words"):
        CrossCovariances(3).solve()


def test_maps_are_kept_in_a_file(tmp_path):
    generator = np.random.default_rng(4)
    maps = {layer: Mapping(*generator.normal(size=(2, 3, 3)).astype(np.float32)) for layer in (2, 7)}
    means = (generator.normal(size=3).astype(np.float32),)
    maps[7] = Mapping(maps[7].source, maps[7].target, {}, means, ())
    write_layer_mappings(LayerMappings(maps, "here", ("en", "es")), tmp_path / "maps.safetensors")
    found = read_layer_mappings(tmp_path / "maps.safetensors")
    vectors = generator.normal(size=(2, 5, 3)).astype(np.float32)
    for side in FeatureSide:
        expected = LayerMappings(maps).moved(vectors, (7, 2), side)
        np.testing.assert_allclose(found.moved(vectors, (7, 2), side), expected, rtol=1e-6)
    assert found.encoder == "here" and found.languages == ("en", "es")
    assert found.side_of("es") is FeatureSide.TARGET
    with pytest.raises(JointalignError, match="between 'en' and 'es'; it has no side for 'de'"):
        found.side_of("de")
    with pytest.raises(JointalignError, match="no mapping for layer 5"):
        found.moved(vectors, (5, 2), FeatureSide.SOURCE)
    with pytest.raises(JointalignError, match="another encoder"):
        found.moved(vectors[:, :, :2], (7, 2), FeatureSide.SOURCE)
    other = tmp_path / "other.safetensors"
    from jointalign.alignment.storage import write_mapping

    write_mapping(maps[2], other)
    with pytest.raises(FormatError):
        read_layer_mappings(other)


LETTERS = "abcdefgh"
SHIFTED = "mnopqrst"


def shifted_pair(sentences, seed=0, words=60):
    """Sentences of made-up words, and the same with every letter's piece shifted."""
    generator = np.random.default_rng(seed)
    known = sorted({"".join(generator.choice(list(LETTERS), 3)) for _ in range(words)})
    texts = [[str(word) for word in generator.choice(known, 7)] for _ in range(sentences)]
    table = str.maketrans(LETTERS, SHIFTED)
    return texts, [[word.translate(table) for word in words] for words in texts]


def shift_pieces(folder):
    """Make the model see shifted letters as a turned and noisy copy of the letters.

    Places weigh little, and layers change little of what they get, as in a model that has learnt:
    otherwise the copies would drift apart from layer to layer.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder)
    table = model.embeddings.word_embeddings.weight
    for name, weights in model.named_parameters():
        if "position" in name or "encoder" in name:
            weights.data *= 0.2 if weights.dim() > 1 else 1.0
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for one, other in zip(LETTERS, SHIFTED, strict=True):
            for form in ("{}", "##{}"):
                rows = tokenizer.convert_tokens_to_ids([form.format(one), form.format(other)])
                noise = torch.randn(table.shape[1], generator=generator)
                table[rows[1]] = table[rows[0]].flip(0) + 0.1 * noise
    model.save_pretrained(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("shifted")
    saved = save_tiny_bert(place, [LETTERS, SHIFTED], positions=64, dimensions=32, layers=2)
    shift_pieces(saved)
    return saved


def test_the_shifted_pair_is_found_at_every_layer(folder):
    sources, targets = shifted_pair(400)
    links = Links.of([[(k, k) for k in range(7)] for _ in sources])
    text = AlignedText(sources, targets, links)
    settings = MappingSettings((0, 1, 2), held_out=40)
    learnt = learn_mappings(Encoder.load(folder), text, settings)
    assert len(learnt.scores) == 3
    assert 360 <= learnt.sentences < 400  # what is tested on is not learnt from
    for score in learnt.scores:
        assert score.pairs == 40
        assert score.after >= score.before + 30
        assert score.after >= 60
        assert score.nearest_after > score.nearest_before
    wrong = AlignedText(sources, [words[1:] + words[:1] for words in targets], links)
    scores = learn_mappings(Encoder.load(folder), wrong, settings).scores
    assert max(score.after for score in scores) < 30  # nothing to learn: no gain either


class Stopped(Exception):
    """As a kill does, between two blocks."""


@pytest.mark.parametrize("aligner", [None, Procrustes()])
def test_learning_that_was_stopped_goes_on_to_the_same_maps(folder, tmp_path, aligner):
    sources, targets = shifted_pair(800, seed=3)
    text = AlignedText(sources, targets, Links.of([[(k, k) for k in range(7)] for _ in sources]))
    settings = MappingSettings((1, 2), held_out=30, sample=500, aligner=aligner)
    encoder, state = Encoder.load(folder), tmp_path / "state"
    seen = []

    def stopping(done, total, note=""):
        seen.append(done)
        if done >= 500:
            raise Stopped

    with pytest.raises(Stopped):
        learn_mappings(encoder, text, settings, checkpoint=state, checkpoint_seconds=0, progress=stopping)
    again = []
    learnt = learn_mappings(
        encoder, text, settings, checkpoint=state, progress=lambda done, total, note="": again.append(done)
    )
    assert again[0] > seen[-1]  # what was done is not done again
    whole = learn_mappings(encoder, text, settings)
    assert (learnt.scores, learnt.pairs, learnt.sentences) == (whole.scores, whole.pairs, whole.sentences)
    for layer in (1, 2):
        ours, theirs = learnt.mappings.layers[layer], whole.mappings.layers[layer]
        np.testing.assert_array_equal(ours.source, theirs.source)
        np.testing.assert_array_equal(ours.target, theirs.target)
    other = MappingSettings((1, 2), Solution.PLAIN, held_out=30)
    before = state.read_bytes()
    with pytest.raises(OtherWorkError, match=r"\(solution: orthogonal, now plain") as caught:
        learn_mappings(encoder, text, other, checkpoint=state)
    assert "sample: 500, now 20000" in str(caught.value)
    assert state.read_bytes() == before
    again.clear()
    or_fresh(
        lambda: learn_mappings(
            encoder, text, other, checkpoint=state, progress=lambda done, total, note="": again.append(done)
        ),
        True,
    )
    assert again[0] < 300


def test_a_sample_follows_its_weights():
    """One pair in four weighs three times as much: so likely, where few are taken."""
    taken = 0
    for seed in range(300):
        sample = Sample(5, seed)
        for start in range(0, 400, 100):
            values = np.arange(start, start + 100.0).reshape(1, 100, 1)
            sample.add(values, values, np.where(np.arange(100) % 4 == 0, 3.0, 1.0))
        x, z = sample.pairs()
        assert x.shape == (1, 5, 1) and (x == z).all() and len(np.unique(x)) == 5
        taken += int((x % 4 == 0).sum())
    assert abs(taken / 1500 - 0.5) < 0.05  # a standard deviation is 0.013


def test_the_commands_from_text_to_mapped_features(folder, tmp_path, capsys):
    sources, targets = shifted_pair(300, seed=1)
    lines = [f"{' '.join(a)} ||| {' '.join(b)}" for a, b in zip(sources, targets, strict=True)]
    (tmp_path / "text").write_text("\n".join([*lines, "abc ||| "]) + "\n")
    arguments = ["align-features", "--encoder", folder, "--input", str(tmp_path / "text")]
    out = tmp_path / "maps.safetensors"
    more = ["--layers", "1,2", "--held-out", "30", "--out", str(out), "--json"]
    assert run([*arguments, *more]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert [layer["layer"] for layer in facts["layers"]] == [1, 2]
    assert all(layer["after"] > layer["before"] for layer in facts["layers"])
    (tmp_path / "a.txt").write_text("\n".join(" ".join(words) for words in sources[:5]) + "\n")
    plain = ["features", "--encoder", folder, "--input", str(tmp_path / "a.txt")]
    plain += ["--layers", "1,2", "--combine", "sum"]
    mapped = ["--mapping", str(out), "--side", "source"]
    assert run([*plain, *mapped, "--out", str(tmp_path / "store")]) == 0
    encoder = Encoder.load(folder)
    each = write_features(encoder, sources[:5], tmp_path / "each", FeatureSettings((1, 2)))
    maps = read_layer_mappings(out)
    vectors = np.stack([v.astype(np.float32) for v in each.vectors])
    expected = maps.moved(vectors, (1, 2), FeatureSide.SOURCE).sum(0)
    summed = FeatureSettings((1, 2), combine=Combine.SUM)
    again = write_features(encoder, sources[:5], tmp_path / "again", summed, mappings=maps)
    np.testing.assert_allclose(again.vectors[0], expected, atol=2e-2)
    stored = np.fromfile(tmp_path / "store/vectors.bin", np.float16)
    np.testing.assert_array_equal(stored, np.asarray(again.vectors[0]).reshape(-1))


def test_links_of_a_file_go_with_the_pairs_that_are_used(tmp_path):
    (tmp_path / "text").write_text("a b ||| c\n ||| d\ne ||| f g\nh h h ||| i\n")
    (tmp_path / "links").write_text("1-0\n\n0-1\n0-0\n")
    text, left_out = read_aligned_text([tmp_path / "text"], tmp_path / "links", ("en", "es"), longest=2)
    assert left_out == 1
    assert text.sources == [["a", "b"], ["e"]]
    assert list(text.links.lines()) == ["1-0", "0-1"]
    (tmp_path / "short").write_text("1-0\n")
    with pytest.raises(JointalignError, match="at least 3"):
        read_aligned_text([tmp_path / "text"], tmp_path / "short", ("en", "es"), longest=2)


def test_method_names(tmp_path):
    given = {"layers": (1,), "sample": 10, "held_out": 10}
    assert mapping_settings("least-squares", side="target", **given).side is FeatureSide.TARGET
    assert mapping_settings("procrustes", side="source", **given).aligner == Procrustes()
    with pytest.raises(JointalignError, match="decides itself"):
        mapping_settings("procrustes", side="target", **given)
    assert mapping_settings("plain", side="target", **given).solution is Solution.PLAIN
    with pytest.raises(JointalignError, match="decides itself"):
        mapping_settings("whitened", side="target", **given)
    with pytest.raises(JointalignError, match="no method 'x'"):
        mapping_settings("x", side="source", **given)
