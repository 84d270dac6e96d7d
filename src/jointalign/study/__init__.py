"""The tables of the paper on any languages: `jointalign study`."""

from jointalign.study.api import StudyResult, study
from jointalign.study.base import Pair, StudySettings

__all__ = ["Pair", "StudyResult", "StudySettings", "study"]
