"""Which language a text is in, as far as its name tells."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from jointalign.cli._console import say

_CODE = re.compile("[a-z]{2,3}(?:[-_][a-z0-9]{2,4})?")


def languages(paths: list[Path], given: list[str] | None, option: str = "--language") -> list[str]:
    """Language of each text: as given, or a known code in its file name (`a.en.txt.bz2`, `a.eng.txt`).

    Raises:
        BadParameter: If there is not one code a text.
    """
    from jointalign.corpora.tokenization import known_languages, language_code

    if given:
        if len(given) != len(paths):
            raise typer.BadParameter(
                f"got {len(paths)} --input but {len(given)} --language; give one for each"
            )
        return [check_code(code) for code in given]
    codes = []
    for path in paths:
        stem, *rest = path.name.lower().split(".")
        parts = filter(_CODE.fullmatch, rest)
        if len(stem) == 2:  # longer ones are words, too
            parts = [stem, *parts]
        named = [code for part in parts if (code := language_code(part)) in known_languages()]
        codes.append(named[-1] if named else "und")
        if not named:
            say(f"{path}: language unknown, words are cut by Unicode rules; see {option}")
    return codes


def check_code(code: str) -> str:
    """The code of a language, which names files, too.

    Raises:
        BadParameter: If it has other characters than letters, digits, `-` and `_`.
    """
    if not code or not code.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter(
            f"expected a language code of letters, digits, - and _, such as en, got '{code}'"
        )
    return code
