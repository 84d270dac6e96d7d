"""The public names and where each is defined."""

from .api import Alignment as Alignment, align_text as align_text, align_with as align_with
from .base import (
    Computation as Computation,
    GeneratedLinks as GeneratedLinks,
    Gold as Gold,
    Links as Links,
    ParallelText as ParallelText,
    TextSide as TextSide,
)
from .bayesian import BayesianAligner as BayesianAligner, BayesianModel as BayesianModel
from .diagonal import DiagonalAligner as DiagonalAligner, DiagonalModel as DiagonalModel
from .reading import read_gold as read_gold, read_links as read_links, read_parallel as read_parallel
from .scoring import AlignmentScore as AlignmentScore, alignment_error_rate as alignment_error_rate
from .symmetrization import Symmetrization as Symmetrization, symmetrize as symmetrize
