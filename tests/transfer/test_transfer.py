import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jointalign.cli.app import run
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats.api import write
from jointalign.pipeline import RunSettings
from jointalign.selection.wishes import Wishes
from jointalign.training.skipgram import SkipGram
from jointalign.transfer import (
    METHODS,
    Copied,
    Focus,
    TokenMap,
    Tokens,
    TransferMethod,
    Units,
    Wechsel,
    Weights,
    load_tokenizer,
    map_tokens,
    space_of_text,
    transfer,
)
from jointalign.transfer.focus import sparsemax
from jointalign.vocabulary import Vocabulary
from small_models import ENGLISH, SPANISH, byte_level, save, side, word_piece

transformers = pytest.importorskip("transformers", reason="opens what we write")


def loaded(folder, kind="AutoModelForCausalLM"):
    model = getattr(transformers, kind).from_pretrained(folder, local_files_only=True)
    return model, transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)


def rows(model):
    output = model.get_output_embeddings()
    return model.get_input_embeddings().weight.detach().numpy(), output.weight.detach().numpy()


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["gpt2", "untied", "bert"])
def test_a_moved_model_opens_runs_and_is_what_the_mapping_says(models, space, tmp_path, method, kind):
    head, new = ("AutoModelForMaskedLM", "pieces") if kind == "bert" else ("AutoModelForCausalLM", "spanish")
    report = transfer(models[kind], models[new], tmp_path / "out", space, method, seed=3)
    before, old_tokenizer = loaded(models[kind], head)
    after, tokenizer = loaded(tmp_path / "out", head)
    assert tokenizer.get_vocab() == load_tokenizer(models[new]).get_vocab()
    assert after.config.vocab_size == len(tokenizer) == report.tokens
    batch = tokenizer("la casa es verde", return_tensors="pt")
    assert after(**batch).logits.shape[-1] == len(tokenizer)

    mapping = json.loads((tmp_path / "out" / "mapping.json").read_text())
    old_numbers, numbers = old_tokenizer.get_vocab(), tokenizer.get_vocab()
    assert set(mapping) == set(numbers)
    known = {token: sources for token, sources in mapping.items() if sources}
    assert len(known) == report.copied + report.mapped
    for old, moved in zip(rows(before), rows(after), strict=True):
        for token, sources in known.items():
            wanted = sum(weight * old[old_numbers[source]] for source, weight in sources)
            np.testing.assert_allclose(moved[numbers[token]], wanted, atol=2e-6)
        assert np.isfinite(moved).all()
    if kind != "untied":
        assert after.get_output_embeddings().weight is after.get_input_embeddings().weight
    if kind == "bert":
        bias = after.cls.predictions.bias.detach().numpy()
        token, sources = list(known.items())[-1]
        old_bias = before.cls.predictions.bias.detach().numpy()
        wanted = sum(weight * old_bias[old_numbers[source]] for source, weight in sources)
        np.testing.assert_allclose(bias[numbers[token]], wanted, atol=2e-6)
    for name, weights in before.state_dict().items():
        if weights.shape == after.state_dict()[name].shape and "bias" not in name:
            np.testing.assert_array_equal(weights, after.state_dict()[name])


def no_tie(vectors, asked, count):
    """Which of the asked vectors have one and only one set of so many nearest."""
    known = vectors[vectors.any(axis=1)]
    best = -np.sort(-(unit(asked) @ unit(known).T), axis=1)
    return best[:, count - 1] - best[:, count] > 1e-4


@pytest.mark.parametrize("subwords", [True, False])
def test_wechsel_is_that_of_its_authors(models, space, tmp_path, subwords):
    wechsel = pytest.importorskip("wechsel", reason="the authors' package")
    fasttext = pytest.importorskip("fasttext", reason="which that reads models with")
    sides = [fasttext.load_model(str(tmp_path / f"{name}.bin")) for name in ("source", "target")]
    old, new = (load_tokenizer(models[name]) for name in ("gpt2", "spanish"))
    if not subwords:
        space = BilingualEmbedding.separate(
            replace(space.source, subwords=None), replace(space.target, subwords=None)
        )
    matrix = loaded(models["gpt2"])[0].get_input_embeddings().weight.detach().numpy()
    theirs, info = wechsel.WECHSEL(*sides, align_strategy=None).apply(
        old, new, matrix, use_subword_info=subwords
    )
    ours = map_tokens(old, new, space, "wechsel")
    vectors = [
        Tokens.of(tokenizer).vectors(part, "und", Units.WORDS)
        for tokenizer, part in ((old, space.source), (new, space.target))
    ]
    known = np.flatnonzero(vectors[1].any(axis=1))
    alike = np.append(known[no_tie(vectors[0], vectors[1][known], 10)], new.bos_token_id)
    assert len(alike) > (60 if subwords else 25)  # pieces of one word alone have one vector
    np.testing.assert_allclose(ours.apply(matrix)[alike], theirs[alike], atol=1e-5)
    assert {new.convert_ids_to_tokens(int(n)) for n in np.flatnonzero(~ours.known)} <= set(info.not_found)


def test_focus_is_that_of_its_authors(models, tmp_path):
    deepfocus = pytest.importorskip("deepfocus", reason="the authors' package")
    torch = pytest.importorskip("torch")
    old, new = (load_tokenizer(models[name]) for name in ("gpt2", "spanish"))
    tokens = [new.tokenize(line) for line in SPANISH]
    vectors = side([" ".join(line) for line in tokens], 5)
    vectors = Embedding(vectors.vocabulary, vectors.vectors)
    write(vectors, tmp_path / "tokens.bin", format="fasttext")
    matrix = loaded(models["gpt2"])[0].get_input_embeddings().weight.detach()
    theirs = deepfocus.FOCUS(
        new, old, matrix, fasttext_model_path=str(tmp_path / "tokens.bin"), verbosity="silent"
    ).numpy()
    # What FOCUS never looks at: vectors of the old language. One token is enough for a space.
    unused = Embedding(Vocabulary(old.tokenize("the")), np.ones((1, 8), np.float32))
    ours = map_tokens(
        old, new, BilingualEmbedding.separate(unused, vectors, "en", "es"), "focus", Units.TOKENS
    )
    # Theirs takes all bytes that are no character for one token, for they decode alike.
    whole = np.array(
        ["\ufffd" not in new.decode([n]) and new.decode([n]).strip() != "" for n in range(len(new))]
    )
    known = np.flatnonzero(ours.known & whole)
    assert ours.counts["mapped"] > 30 and ours.counts["copied"] > 30
    np.testing.assert_allclose(ours.apply(matrix.numpy())[known], theirs[known], atol=1e-5)
    assert torch.is_tensor(matrix)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    scores = np.random.default_rng(0).normal(size=(20, 7))
    found = sparsemax(scores)
    assert np.allclose(found.sum(axis=1), 1) and (found >= 0).all()
    for row, point in zip(scores, found, strict=True):  # optimality: the gradient is level on the support
        gap = row - point
        assert np.ptp(gap[point > 0]) < 1e-9 and (gap[point == 0] <= gap[point > 0].min() + 1e-9).all()


def test_tokalign_takes_the_nearest_token(models, space):
    old, new = (load_tokenizer(models[name]) for name in ("gpt2", "spanish"))
    found = map_tokens(old, new, space, "tokalign")
    token = new.tokenize(" loro")[0]
    asked = space.target.vector(new.decode([new.get_vocab()[token]]).strip())
    cosines = {}
    for form, number in old.get_vocab().items():
        vector = space.source.vector(old.decode([number]).strip())
        if vector is not None:
            cosines[form] = float(unit(asked) @ unit(vector))
    ((source, weight),) = found.sources(token)
    assert weight == 1 and cosines[source] == pytest.approx(max(cosines.values()), abs=1e-6)


def test_shared_tokens_are_the_same_text_at_the_same_place_of_a_word():
    old, new = Tokens.of(byte_level(ENGLISH)), Tokens.of(word_piece(SPANISH))
    pairs = [(new.forms[a], old.forms[b]) for a, b in new.shared_pairs(old).tolist()]
    assert ("radio", "Ġradio") in pairs or "radio" not in new.forms
    assert ("##o", "o") in pairs and ("[UNK]", "<|endoftext|>") in pairs
    for token, form in pairs:
        if token[0] != "[":
            assert form == (token[2:] if token.startswith("##") else f"Ġ{token}")


def test_special_tokens_go_by_name_and_then_by_role():
    names = {"pad": "<p>", "unk": "<u>", "cls": "[SEP]", "sep": "<s>", "mask": "<m>"}
    old, new = Tokens.of(word_piece(ENGLISH)), Tokens.of(word_piece(SPANISH, **names))
    pairs = {new.forms[a]: old.forms[b] for a, b in new.special_pairs(old).items()}
    assert pairs == {"<p>": "[PAD]", "<u>": "[UNK]", "[SEP]": "[SEP]", "<s>": "[SEP]", "<m>": "[MASK]"}


def test_the_config_names_the_new_numbers_of_special_tokens(models, tmp_path):
    names = {"mask": "<m>", "unk": "<u>", "pad": "<p>", "cls": "<c>", "sep": "<s>"}
    word_piece(SPANISH, **names).save_pretrained(tmp_path / "new")
    transfer(models["bert"], tmp_path / "new", tmp_path / "out", method="mean")
    model, tokenizer = loaded(tmp_path / "out", "AutoModelForMaskedLM")
    assert model.config.pad_token_id == tokenizer.pad_token_id == 2
    before, old = loaded(models["bert"], "AutoModelForMaskedLM")
    for role in ("mask", "unk", "pad", "cls", "sep"):
        number, earlier = (getattr(one, f"{role}_token_id") for one in (tokenizer, old))
        np.testing.assert_array_equal(rows(model)[0][number], rows(before)[0][earlier])


def test_an_encoder_with_a_decoder(models, space, tmp_path):
    from transformers import T5Config, T5ForConditionalGeneration

    old = load_tokenizer(models["gpt2"])
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    config = T5Config(vocab_size=len(old), decoder_start_token_id=0, pad_token_id=0, **sizes)
    save(T5ForConditionalGeneration(config), old, tmp_path / "t5")
    report = transfer(tmp_path / "t5", models["spanish"], tmp_path / "out", space)
    model, tokenizer = loaded(tmp_path / "out", "AutoModelForSeq2SeqLM")
    batch = tokenizer("la casa", return_tensors="pt")
    assert model(**batch, labels=batch["input_ids"]).logits.shape[-1] == report.tokens
    assert model.encoder.embed_tokens.weight is model.shared.weight


def test_a_lower_case_space_knows_tokens_in_capitals(models, space):
    upper = Tokens.of(byte_level([line.upper() for line in ENGLISH]))
    lower = Tokens.of(byte_level(ENGLISH))
    vectors = [tokens.vectors(space.source, "en", Units.WORDS) for tokens in (upper, lower)]
    numbers = [upper.forms.index("ĠGARDEN"), lower.forms.index("Ġgarden")]
    np.testing.assert_array_equal(vectors[0][numbers[0]], vectors[1][numbers[1]])
    assert vectors[0].any(axis=1).sum() > 50


def test_copied_is_a_setting_of_every_method(models, space):
    old, new = (load_tokenizer(models[name]) for name in ("gpt2", "spanish"))
    for method in METHODS.values():
        few = map_tokens(old, new, space, replace(method, copied="special"))
        many = map_tokens(old, new, space, replace(method, copied=Copied.SHARED))
        assert few.counts["copied"] == 1 < 30 < many.counts["copied"]
        assert sum(few.counts.values()) == sum(many.counts.values()) == len(new)


def test_fallback_rows_have_the_mean_and_deviation_of_the_old_ones(models):
    old, new = (load_tokenizer(models[name]) for name in ("gpt2", "spanish"))
    matrix = np.random.default_rng(0).normal([[1, -2, 0]], [[0.1, 3, 1]], (len(old), 3)).astype(np.float32)
    drawn = map_tokens(old, new, method="random").apply(matrix, seed=1)
    np.testing.assert_allclose(drawn.mean(0), matrix.mean(0), atol=0.6)
    np.testing.assert_allclose(drawn.std(0), matrix.std(0), rtol=0.2)
    assert not np.array_equal(drawn, map_tokens(old, new, method="random").apply(matrix, seed=2))
    means = map_tokens(old, new, method="mean")
    np.testing.assert_allclose(
        means.apply(matrix)[~means.known], np.tile(matrix.mean(0), (101, 1)), rtol=1e-4
    )


def test_a_row_with_many_sources_is_their_weighted_sum(monkeypatch):
    monkeypatch.setattr("jointalign.transfer.base._NUMBERS_AT_ONCE", 12)
    random = np.random.default_rng(0)
    dense = random.random((9, 7)) * (random.random((9, 7)) > 0.3)
    dense[4] = 0
    matrix = random.normal(size=(7, 3))
    row, column = np.nonzero(dense)
    weights = Weights.of(9, row, column, dense[row, column])
    made = TokenMap(tuple("abcdefg"), tuple("123456789"), weights, np.zeros(9, bool)).apply(matrix)
    known = dense.any(axis=1)
    np.testing.assert_allclose(made[known], (dense @ matrix)[known])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": None}, "goes by vectors of words"),
        ({"method": "best"}, "there is no method 'best'; choose from wechsel"),
        ({"units": "syllables"}, "units must be one of words, tokens"),
        ({"units": "tokens"}, "knows no token of the new tokenizer"),
        ({"tokenizer": "nowhere/at-all"}, "could not be loaded"),
        ({"model": "./nothing"}, "nothing"),
        ({"out": "model"}, "name another folder"),
    ],
)
def test_what_cannot_be_done_is_said(models, space, tmp_path, change, message):
    given = {"model": models["gpt2"], "tokenizer": models["spanish"], "out": tmp_path / "out", "space": space}
    if change.get("units") == "tokens":
        words = Embedding(Vocabulary(("ñandú",)), np.ones((1, 8), np.float32))
        change = {**change, "space": BilingualEmbedding.separate(space.source, words)}
    if change.get("out"):
        change = {"out": models["gpt2"]}
    with pytest.raises(JointalignError, match=message):
        transfer(**{**given, **change}, local_only=True)
    assert not (tmp_path / "out" / "config.json").exists()


def test_a_folder_of_something_else_is_spared(models, space, tmp_path):
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(JointalignError, match="config.json would be overwritten"):
        transfer(models["gpt2"], models["spanish"], tmp_path, space)
    assert (tmp_path / "config.json").read_text() == "mine"


def test_every_method_says_what_it_does():
    for name, method in METHODS.items():
        assert isinstance(method, TransferMethod) and isinstance(method, (Focus, Wechsel)) == (
            name in ("focus", "wechsel")
        )
        assert Path(__file__).parents[2].joinpath("src/jointalign/transfer", f"{name}.py").is_file()


PAIRS = "house casa|small pequeño|garden jardín|green verde|dog perro|old vieja|children niños|school escuela"
PAIRS += "|teacher maestra|sings canta|book libro|long largo|parrot loro|the la|and y|reads lee|in en|a un"


@pytest.mark.parametrize("units", list(Units))
def test_a_space_is_trained_of_text_and_a_dictionary(models, tmp_path, units):
    for name, text in (("en", ENGLISH), ("es", SPANISH)):
        (tmp_path / f"{name}.txt").write_text("\n".join(text * 9), "utf-8")
    (tmp_path / "en-es.txt").write_text(PAIRS.replace("|", "\n"), "utf-8")
    settings = RunSettings(
        *(tmp_path / name for name in ("en.txt", "es.txt", "en-es.txt")),
        wishes=Wishes("procrustes", 0.9),
        trainer=SkipGram(dimensions=8, epochs=1, minimum_count=1),
    )
    both = load_tokenizer(models["gpt2"]), load_tokenizer(models["spanish"])
    cut = both if units is Units.TOKENS else None
    space = space_of_text(settings, tmp_path / "space", tokenizers=cut, threads=1)
    assert ("Ġhouse" in space.source, "house" in space.source) == ((True, False) if cut else (False, True))
    record = (tmp_path / "space" / "stages" / "align.json").read_bytes()
    again = space_of_text(settings, tmp_path / "space", tokenizers=cut, threads=1)
    assert (tmp_path / "space" / "stages" / "align.json").read_bytes() == record
    np.testing.assert_array_equal(space.target.vectors, again.target.vectors)
    assert map_tokens(*both, space, units=units).counts["mapped"] > 30


def test_the_command_writes_a_model_and_says_what_became_of_the_tokens(models, space, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    write(space, tmp_path / "run" / "aligned.safetensors")
    out = tmp_path / "out"
    given = f"--model {models['gpt2']} --tokenizer {models['spanish']} --space {tmp_path / 'run'} --out {out}"
    assert run(["transfer", *given.split(), "--neighbours", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["mapped"] > 60 and report["method"]["neighbours"] == 2
    assert loaded(out)[0].config.vocab_size == report["tokens"]
    sources = json.loads((out / "mapping.json").read_text("utf-8")).values()
    assert max(map(len, sources)) == 2


def test_a_dictionary_without_tokens_is_no_dictionary(models, tmp_path):
    for name in ("en", "es"):
        (tmp_path / name).write_text("casa\n", "utf-8")
    (tmp_path / "pairs").write_text("incomprehensibility incomprensibilidad\n")
    settings = RunSettings(tmp_path / "en", tmp_path / "es", tmp_path / "pairs")
    both = load_tokenizer(models["gpt2"]), load_tokenizer(models["spanish"])
    with pytest.raises(JointalignError, match="pairs that are one token in both"):
        space_of_text(settings, tmp_path / "space", tokenizers=both)
