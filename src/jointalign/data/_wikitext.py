"""Plain paragraphs out of wikitext, the markup of Wikipedia."""

from __future__ import annotations

import html
import re
from typing import Any

from jointalign.errors import MissingExtraError

# What readers of an article do not read as its text. References go before parsing: they are half of
# the markup of a long article, and the parser takes their content for text.
_HIDDEN_TAGS = (
    "categorytree|ce|chem|code|gallery|graph|hiero|imagemap|indicator|inputbox|mapframe|maplink|"
    "math|pre|ref|references|score|source|style|syntaxhighlight|templatedata|templatestyles|"
    "timeline"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN = re.compile(
    rf"<(?:{_HIDDEN_TAGS})\b[^<>]*/>|<({_HIDDEN_TAGS})\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
# Of markup that does not fit together, which the parser leaves as text.
_LEFTOVERS = re.compile(r"'{2,}|\{\{|\}\}|\[\[|\]\]|</?[a-zA-Z][^<>]*>|__\w+__")
_ITEM = "\ufdd0"  # marks the line of a list item; no character of any text
_ROW = ("{|", "|")
_EMPTY_BRACKETS = re.compile(r" ?\([\s,;:]*\)")
_OTHER_WIKI = re.compile(r"[a-z]{2,3}(?:-[a-z-]+)?")
_MEDIA = tuple(
    ".jpg .jpeg .png .gif .svg .tif .tiff .webp .pdf .djvu "
    ".oga .ogg .ogv .webm .mp3 .mp4 .wav .flac .mid".split()
)

HIDDEN_NAMESPACES = frozenset({"media", "file", "image", "category"})
"""Names of the namespaces of files and categories that hold on every Wikipedia."""


def check_installed() -> None:
    """Fail early, before gigabytes are downloaded.

    Raises:
        MissingExtraError: If the parser is not installed.
    """
    try:
        import mwparserfromhell  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("mwparserfromhell", "data") from error


def paragraphs(wikitext: str, hidden: frozenset[str] = HIDDEN_NAMESPACES) -> list[str] | None:
    """The paragraphs and list items of an article, each on one line, without markup.

    References, comments, tables, templates, files, categories, headings, formulas, and links to the
    same article in other languages are left out; of other links the text that is shown is kept.

    Args:
        wikitext: The markup.
        hidden: Names in lower case of the namespaces of files and categories.

    Returns:
        The lines, those without a letter left out; `None` if the parser fails.

    Example:
        >>> paragraphs("'''Madrid''' is a [[city]] in [[Spain|the south]].<ref>x</ref> {{stub}}")
        ['Madrid is a city in the south.']
    """
    import mwparserfromhell
    from mwparserfromhell.parser import ParserError

    try:
        parsed = mwparserfromhell.parse(_HIDDEN.sub("", _COMMENT.sub("", wikitext)))
        text = _text(parsed, hidden)
    except (ParserError, RecursionError):
        return None
    lines = []
    for paragraph in _joined(text):
        line = _EMPTY_BRACKETS.sub("", _LEFTOVERS.sub("", paragraph))
        line = " ".join(line.split())
        if any(map(str.isalpha, line)):
            lines.append(line)
    return lines


def _joined(text: str) -> list[str]:
    """Lines that follow each other are one paragraph, unless there is a list item between them."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith(_ITEM):
            found += [[stripped.removeprefix(_ITEM)], []]
        elif not stripped or stripped.startswith(_ROW):
            found.append([])
        else:
            found[-1].append(stripped)
    return [" ".join(lines) for lines in found if lines]


def _text(code: Any, hidden: frozenset[str]) -> str:
    return "".join(_node_text(node, hidden) for node in code.nodes)


def _node_text(node: Any, hidden: frozenset[str]) -> str:
    match type(node).__name__:
        case "Text":
            return node.value
        case "Wikilink":
            return _link_text(node, hidden)
        case "Tag":
            return _tag_text(node, hidden)
        case "ExternalLink":
            return _text(node.title, hidden) if node.title is not None else ""
        case "HTMLEntity":
            return html.unescape(str(node))  # unlike node.normalize() makes no lone surrogates
        case "Heading":
            return "\n\n"
    return ""  # templates, their arguments, comments


def _tag_text(node: Any, hidden: frozenset[str]) -> str:
    name = str(node.tag).strip().lower()
    if name in ("li", "dd", "dt") and node.wiki_markup:
        return f"\n{_ITEM}"  # the text of the item follows
    if name in ("table", "hr"):
        return "\n\n"
    if name == "br":
        return " "
    return "" if node.contents is None else _text(node.contents, hidden)


def _link_text(node: Any, hidden: frozenset[str]) -> str:
    title = str(node.title).strip()
    prefix, colon, _ = title.partition(":")
    if colon:
        name = prefix.strip().replace("_", " ").lower()
        if name in hidden or _OTHER_WIKI.fullmatch(prefix) or title.lower().endswith(_MEDIA):
            return ""
    if node.text is not None:
        return _text(node.text, hidden)
    return "" if title.startswith(":") else _text(node.title, hidden)
