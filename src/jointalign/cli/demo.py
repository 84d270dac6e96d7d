"""`jointalign plot`: Figure 1 of the paper."""


def command() -> None:
    """Draw both languages before reallocation, after it, and after alignment."""
