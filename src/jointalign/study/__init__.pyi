"""The public names and where each is defined."""

from .api import planned as planned, study as study, table3 as table3
from .base import (
    NERStudySettings as NERStudySettings,
    Pair as Pair,
    StudyResult as StudyResult,
    StudySettings as StudySettings,
)
from .contextual import ContextualCells as ContextualCells, ContextualSettings as ContextualSettings
from .figure2 import FigureSettings as FigureSettings, figure_two as figure_two
