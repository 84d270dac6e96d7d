"""The tables and figures of the paper on any languages: `jointalign study`."""

from jointalign.study.api import planned, study, table3
from jointalign.study.base import NERStudySettings, Pair, StudyResult, StudySettings
from jointalign.study.contextual import ContextualCells, ContextualSettings
from jointalign.study.figure2 import FigureSettings, figure_two

__all__ = [
    "ContextualCells",
    "ContextualSettings",
    "FigureSettings",
    "NERStudySettings",
    "Pair",
    "StudyResult",
    "StudySettings",
    "figure_two",
    "planned",
    "study",
    "table3",
]
