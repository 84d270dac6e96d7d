"""The command `jointalign`: bad input ends in one clear line and exit code 2."""

from __future__ import annotations

import sys

from jointalign.cli.streams import make_usable
from jointalign.version import __version__


def main() -> None:
    """Run the command line on `sys.argv`."""
    make_usable()
    if sys.argv[1:] == ["--version"]:  # known without any other module
        sys.stdout.write(f"{__version__}\n")
        return
    from jointalign.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
