"""Named-entity recognition across languages: a tagger learnt in one, used in another.

`Tagger` and `fit` know nothing of where vectors come from: `StaticInputs` looks words up, and
whatever else implements `WordInputs` (contextual features, an encoder that is learnt, too) goes the
same way.
"""

from jointalign.ner._fit import History, Text, fit
from jointalign.ner._scoring import counted, difference_interval, f1_of, interval, score
from jointalign.ner._settings import RateSchedule, TaggerFitSettings, TaggerSettings
from jointalign.ner._tagger import (
    Alphabet,
    Examples,
    PreparedText,
    Tagger,
    VectorBatch,
    WordBatch,
    WordInputs,
    tag_all,
)
from jointalign.ner._torch import torch_threads
from jointalign.ner._word_by_word import CarriedOver, carry_over, distinct_words
from jointalign.ner._words import StaticInputs, WordTable
from jointalign.ner.base import NERResult, Scheme, Sentence, Span, Summary, spans, to_scheme

__all__ = [
    "Alphabet",
    "CarriedOver",
    "VectorBatch",
    "Examples",
    "TaggerFitSettings",
    "History",
    "NERResult",
    "PreparedText",
    "RateSchedule",
    "Scheme",
    "Sentence",
    "Span",
    "StaticInputs",
    "Summary",
    "Tagger",
    "TaggerSettings",
    "Text",
    "WordBatch",
    "WordInputs",
    "WordTable",
    "carry_over",
    "counted",
    "difference_interval",
    "distinct_words",
    "f1_of",
    "fit",
    "interval",
    "score",
    "spans",
    "tag_all",
    "to_scheme",
    "torch_threads",
]
