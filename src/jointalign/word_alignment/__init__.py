"""Word alignment of parallel text: which word of a sentence translates which of the other."""

from jointalign.word_alignment.api import Alignment, align_text, align_with
from jointalign.word_alignment.base import Computation, GeneratedLinks, Gold, Links, ParallelText, TextSide
from jointalign.word_alignment.bayesian import BayesianAligner, BayesianModel
from jointalign.word_alignment.diagonal import DiagonalAligner, DiagonalModel
from jointalign.word_alignment.reading import read_gold, read_links, read_parallel
from jointalign.word_alignment.scoring import AlignmentScore, alignment_error_rate
from jointalign.word_alignment.symmetrization import Symmetrization, symmetrize

__all__ = [
    "Alignment",
    "AlignmentScore",
    "BayesianAligner",
    "BayesianModel",
    "Computation",
    "DiagonalAligner",
    "DiagonalModel",
    "GeneratedLinks",
    "Gold",
    "Links",
    "ParallelText",
    "TextSide",
    "Symmetrization",
    "align_text",
    "align_with",
    "alignment_error_rate",
    "read_gold",
    "read_links",
    "read_parallel",
    "symmetrize",
]
