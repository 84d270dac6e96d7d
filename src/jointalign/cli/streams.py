"""Standard streams that can be used, whatever they are connected to."""

from __future__ import annotations

import codecs
import io
import os
import sys

_ESCAPED = "jointalign-escaped"


def make_usable() -> None:
    """Let closed streams lead nowhere, and letters that the output cannot show be escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Else the next file that is opened would take its number, and what is meant for it.
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: PTH123
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        codecs.register_error(_ESCAPED, _escaped)
        sys.stdout.reconfigure(errors=_ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Letters as JSON escapes them, so that objects stay what they are: `ñ` as `\u00f1`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    import json

    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
