"""Names of the package are imported when asked for, and none is missing or hidden."""

import importlib
import pkgutil
import subprocess
import sys

import jointalign


def test_every_public_name_resolves():
    assert len(jointalign.__all__) > 50 and dir(jointalign) == sorted(jointalign.__all__)
    for name in jointalign.__all__:
        assert getattr(jointalign, name) is not None


def test_no_module_hides_a_public_name():
    modules = {module.name for module in pkgutil.iter_modules(jointalign.__path__)}
    assert modules & set(jointalign.__all__) == {"bli"}
    for name in modules - {"__main__"}:
        importlib.import_module(f"jointalign.{name}")
    assert callable(jointalign.bli.evaluate) and callable(jointalign.align)


def test_importing_the_package_imports_neither_numpy_nor_numba():
    script = "import sys, jointalign; print([x for x in ('numpy', 'numba', 'typer') if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
