"""A tiny BERT on disk, made by transformers and tokenizers themselves."""

from pathlib import Path

import numpy as np

from jointalign.ner import Sentence

NAMES = ["Ana", "Eva", "Leo", "Madrid", "Roma"]
VERBS = ["sees", "likes", "knows", "leaves"]


def sentences(count, seed):
    """Names in known places, of one and of several pieces."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        who, where = generator.choice(NAMES[:3]), generator.choice(NAMES[3:])
        words = (str(who), str(generator.choice(VERBS)), str(where))
        found.append(Sentence(words, ("B-PER", "O", "B-LOC")))
    return found


def save_tiny_bert(folder, words, *, positions=24, dimensions=16, layers=3, seed=0):
    """Random weights, and a vocabulary of the words' letters and beginnings; returns the folder."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    letters = sorted({letter for word in words for letter in word})
    beginnings = sorted({word[:3] for word in words if len(word) > 3} - set(letters))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = special + letters + [f"##{letter}" for letter in letters] + beginnings
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    tokenizer = BertTokenizerFast(str(Path(folder) / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=dimensions,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=positions,
        )
        model = BertModel(config)
        for weights in model.parameters():
            if weights.dim() > 1:
                torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(folder)
    return str(folder)
