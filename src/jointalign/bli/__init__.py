"""Bilingual lexicon induction: how many words of a test dictionary are translated correctly.

A score is only comparable with its rules known, so each result carries them: see `OutOfVocabulary`
for the four ways to count a word that is missing, and `BLIResult` for the signature.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
