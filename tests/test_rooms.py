"""What `lint-imports` cannot say: private modules stay in their folder, heavy packages out of start-up."""

import ast
import subprocess
import sys
from pathlib import Path

import jointalign

ROOT = Path(jointalign.__file__).parent
HEAVY = [
    "numba",
    "scipy",
    "torch",
    "matplotlib",
    "gensim",
    "transformers",
    "jieba",
    "faiss",
    "ray",
    "tokenizers",
    "sacrebleu",
]


def foreign_private_imports(root):
    for path in root.rglob("*.py"):
        folder = "jointalign." + ".".join(path.relative_to(root).parts[:-1])
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import hides the room"
                for name in [f"{node.module}.{alias.name}" for alias in node.names]:
                    parts = name.split(".")
                    private = [i for i, part in enumerate(parts) if part.startswith("_") and part[1:2] != "_"]
                    if parts[0] == "jointalign" and private and ".".join(parts[: private[0]]) != folder:
                        yield f"{path.relative_to(root)} imports {name}"


def test_private_modules_are_imported_in_their_own_folder_only():
    assert list(foreign_private_imports(ROOT)) == []


def test_the_check_finds_a_private_import(tmp_path):
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "evaluate.py").write_text("from jointalign.bli._rules import rule\n")
    (tmp_path / "cli" / "train.py").write_text("from jointalign.cli._console import say\n")
    assert list(foreign_private_imports(tmp_path)) == ["cli/evaluate.py imports jointalign.bli._rules.rule"]


def test_no_module_loads_a_heavy_package_when_imported():
    modules = [
        ".".join(("jointalign", *path.relative_to(ROOT).with_suffix("").parts))
        for path in sorted(ROOT.rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py", "_compiler.py"}  # the last is Numba's own
    ]
    script = (
        f"import importlib, sys\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
