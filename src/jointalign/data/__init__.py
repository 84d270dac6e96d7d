"""Dictionaries, vectors and text from the web: MUSE's, fastText's, and the text of Wikipedia."""

from jointalign.data.api import (
    FASTTEXT_LICENCE,
    MUSE_LICENCE,
    WIKIPEDIA_LICENCE,
    File,
    PublishedVectors,
    WikipediaText,
    fasttext,
    muse,
    wikipedia,
)

__all__ = [
    "FASTTEXT_LICENCE",
    "MUSE_LICENCE",
    "WIKIPEDIA_LICENCE",
    "File",
    "PublishedVectors",
    "WikipediaText",
    "fasttext",
    "muse",
    "wikipedia",
]
