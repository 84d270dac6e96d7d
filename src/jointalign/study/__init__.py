"""The tables and figures of the paper on any languages: `jointalign study`."""

from jointalign.study.api import study
from jointalign.study.base import NERStudySettings, Pair, StudyResult, StudySettings
from jointalign.study.contextual import ContextualCells, ContextualSettings
from jointalign.study.figure2 import FigureSettings, figure_two
from jointalign.study.table3 import table3

__all__ = [
    "ContextualCells",
    "ContextualSettings",
    "FigureSettings",
    "NERStudySettings",
    "Pair",
    "StudyResult",
    "StudySettings",
    "figure_two",
    "study",
    "table3",
]
