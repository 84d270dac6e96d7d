"""Small models and tokenisers of our own: nothing comes from the hub."""

import numpy as np

from jointalign.embedding import Embedding
from jointalign.subwords import SubwordTable, hash_ngrams
from jointalign.vocabulary import Vocabulary

ENGLISH = """the house is small and the garden of the house is green 2024
a small dog sleeps in the garden behind the old house
the children sing in the school and the teacher sings with the children
an old teacher reads a long book about a green parrot
the parrot sings of radio and hotel in the small garden""".split("\n")
SPANISH = """la casa es pequeña y el jardín de la casa es verde 2024
un perro pequeño duerme en el jardín detrás de la casa vieja
los niños cantan en la escuela y la maestra canta con los niños
una maestra vieja lee un libro largo sobre un loro verde
el loro canta de radio y hotel en el jardín pequeño""".split("\n")
DIMENSIONS = 24


def byte_level(text, size=160):
    """A byte-level BPE as of GPT-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(
        {c for line in text for c, _ in pre_tokenizers.ByteLevel().pre_tokenize_str(line) for c in c}
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(text, trainer)
    named = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def word_piece(text, size=120, **names):
    """A WordPiece as of BERT."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    names = names or dict(zip(("pad", "unk", "cls", "sep", "mask"), special, strict=True))
    tokenizer = Tokenizer(models.WordPiece(unk_token=names["unk"]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        text, trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(names.values()))
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{role}_token": name for role, name in names.items()}
    )


def save(model, tokenizer, folder):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def gpt2(tokenizer, *, tied=True, seed=0):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tokenizer),
                n_positions=32,
                n_embd=DIMENSIONS,
                n_layer=2,
                n_head=2,
                tie_word_embeddings=tied,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )
        )


def bert(tokenizer, seed=0):
    import torch
    from transformers import BertConfig, BertForMaskedLM

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=DIMENSIONS,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=24,
            pad_token_id=tokenizer.pad_token_id,
        )
        model = BertForMaskedLM(config)
        torch.nn.init.normal_(model.cls.predictions.bias)
        return model


def side(text, seed, dimensions=8, *, subwords=True):
    """Random vectors of the words of a text and of their n-grams."""
    counts: dict[str, int] = {}
    for word in (word for line in text for word in line.split()):
        counts[word] = counts.get(word, 0) + 1
    words = tuple(sorted(counts, key=lambda word: (-counts[word], word)))
    random, table = np.random.default_rng(seed), None
    if subwords:
        used = np.unique(hash_ngrams(words, 2, 4, 500)[1])
        table = SubwordTable(used, random.normal(size=(len(used), dimensions)).astype(np.float32), 2, 4, 500)
    vectors = random.normal(size=(len(words), dimensions)).astype(np.float32)
    return Embedding(Vocabulary(words, np.array([counts[word] for word in words])), vectors, table)
