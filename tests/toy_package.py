"""A package with an alignment method, as an installer leaves it."""

TOY = """
from dataclasses import dataclass, replace

from jointalign import Aligner, Mapping, Procrustes


@dataclass(frozen=True)
class Toy(Aligner):
    '''A rotation, scaled: retrieval does not see it.

    Args:
        scale: By what.
    '''

    scale: float = 2.0

    tried = {"scale": (2.0, 3.0)}

    def fit(self, x, z, pairs=None, *, seed=0):
        mapping = Procrustes().fit(x, z, pairs)
        return replace(mapping, source=mapping.source * x.dtype.type(self.scale))


class NotOne:
    pass
"""


def written(folder, package, **points):
    """Write it; `points` are names and where the methods are, in `<package>_module` or `_broken`."""
    facts = folder / f"{package}-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / f"{package}_module.py").write_text(TOY)
    (folder / f"{package}_broken.py").write_text("import a_package_that_nobody_has\n")
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {package}_{value}" for name, value in points.items()]
    (facts / "entry_points.txt").write_text("\n".join(["[jointalign.aligners]", *lines, ""]))
    return folder
