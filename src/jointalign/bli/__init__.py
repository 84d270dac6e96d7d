"""Bilingual lexicon induction: how many words of a test dictionary are translated correctly.

A score is only comparable with its rules known, so each result carries them: see `OutOfVocabulary`
for the four ways to count a word that is missing, and `BLIResult` for the signature.
"""

from jointalign.bli.api import evaluate, evaluate_parts, evaluate_rules
from jointalign.bli.base import Band, BLIResult, Conditions, Identical, OutOfVocabulary
from jointalign.bli.comparison import Comparison, compare

__all__ = [
    "BLIResult",
    "Band",
    "Comparison",
    "Conditions",
    "Identical",
    "OutOfVocabulary",
    "compare",
    "evaluate",
    "evaluate_parts",
    "evaluate_rules",
]
