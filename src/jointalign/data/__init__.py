"""Dictionaries and text from the web: MUSE's dictionaries, and the text of Wikipedia."""

from jointalign.data.api import MUSE_LICENCE, WIKIPEDIA_LICENCE, File, WikipediaText, muse, wikipedia

__all__ = ["MUSE_LICENCE", "WIKIPEDIA_LICENCE", "File", "WikipediaText", "muse", "wikipedia"]
