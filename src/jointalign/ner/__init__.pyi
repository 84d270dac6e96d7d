"""The public names and where each is defined."""

from ._fit import History as History, Text as Text, fit as fit
from ._scoring import (
    counted as counted,
    difference_interval as difference_interval,
    f1_of as f1_of,
    interval as interval,
    score as score,
)
from ._settings import (
    RateSchedule as RateSchedule,
    TaggerFitSettings as TaggerFitSettings,
    TaggerSettings as TaggerSettings,
)
from ._tagger import (
    Alphabet as Alphabet,
    Examples as Examples,
    PreparedText as PreparedText,
    Tagger as Tagger,
    VectorBatch as VectorBatch,
    WordBatch as WordBatch,
    WordInputs as WordInputs,
    tag_all as tag_all,
)
from ._torch import torch_threads as torch_threads
from ._word_by_word import (
    CarriedOver as CarriedOver,
    carry_over as carry_over,
    distinct_words as distinct_words,
)
from ._words import StaticInputs as StaticInputs, WordTable as WordTable
from .base import (
    NERResult as NERResult,
    Scheme as Scheme,
    Sentence as Sentence,
    Span as Span,
    Summary as Summary,
    spans as spans,
    to_scheme as to_scheme,
)
