"""What the state of a training depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import Setting
from jointalign.lexicon import Lexicon
from jointalign.storage.checkpoint import Checkpoint, digest_of
from jointalign.version import __version__
from jointalign.vocabulary import Vocabulary

NAME = "training.checkpoint"


def described(
    name: str, trainer: Any, corpora: Sequence[EncodedCorpus], seed: int, **more: Setting
) -> dict[str, Setting]:
    """All that a training is done with, as its embedding tells it."""
    return {
        "trainer": name,
        **asdict(trainer),
        **more,
        "seed": seed,
        "languages": " ".join(corpus.language for corpus in corpora),
        "tokens": sum(corpus.counts.total for corpus in corpora),
    }


def checkpoint_in(
    folder: Path | None,
    settings: Mapping[str, Setting],
    corpora: Sequence[EncodedCorpus],
    vocabularies: Sequence[Vocabulary],
    lexicon: Lexicon | None = None,
) -> Checkpoint | None:
    """The checkpoint of this training in a folder; `None` without a folder."""
    if folder is None:
        return None
    words = [["\n".join(v.words), v.counts.tolist()] for v in vocabularies]
    facts = {
        "version": __version__,
        **settings,
        "text": digest_of(*(array.data for c in corpora for array in (c.tokens, c.line_ends))),
        "vocabulary": digest_of(json.dumps(words)),
        "lexicon": lexicon and digest_of(json.dumps(lexicon.pairs)),
    }
    return Checkpoint(folder / NAME, facts)
