"""The tables of the paper on any languages: `jointalign study`."""

from jointalign.study._figure2 import FigureResult, figure_two
from jointalign.study._figure_settings import FigureSettings
from jointalign.study.api import StudyResult, study
from jointalign.study.base import Pair, StudySettings

__all__ = [
    "FigureResult",
    "FigureSettings",
    "Pair",
    "StudyResult",
    "StudySettings",
    "figure_two",
    "study",
]
