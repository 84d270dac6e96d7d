"""The version, in one place, and those of what results depend on."""

from __future__ import annotations

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """What results were made with: this package, Python, the machine, and the packages that compute."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "jointalign": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for name in ("numpy", "numba", "lightgbm", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
