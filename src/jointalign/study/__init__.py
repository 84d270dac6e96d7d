"""The tables and figures of the paper on any languages: `jointalign study`."""

from jointalign.study._figure2 import FigureResult, figure_two
from jointalign.study._figure_settings import FigureSettings
from jointalign.study.api import StudyResult, study
from jointalign.study.base import NERStudySettings, Pair, StudySettings
from jointalign.study.table3 import table3

__all__ = [
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
