"""The tables and figures of the paper on any languages: `jointalign study`."""

from jointalign.study._figure2 import FigureResult, figure_two
from jointalign.study._figure_settings import FigureSettings
from jointalign.study.api import study
from jointalign.study.base import NERStudySettings, Pair, StudyResult, StudySettings
from jointalign.study.contextual import ContextualCells, ContextualSettings
from jointalign.study.table3 import table3

__all__ = [
    "ContextualCells",
    "ContextualSettings",
    "FigureResult",
    "FigureSettings",
    "NERStudySettings",
    "Pair",
    "StudyResult",
    "StudySettings",
    "figure_two",
    "study",
    "table3",
]
