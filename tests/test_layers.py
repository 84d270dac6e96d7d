"""The order of layers: a module imports lower layers, or `base` and `_` siblings of its folder."""

import ast
from pathlib import Path

import pytest

import jointalign

ROOT = Path(jointalign.__file__).parent
LAYERS = [
    {"version", "errors", "progress", "processors"},
    {"_compression", "_lines", "_torch", "_workers"},
    {"files"},
    {"vocabulary", "subwords", "stages", "tensors"},
    {"tokenization"},
    {"_dictionary_lines"},
    {"corpus", "embedding", "lexicon"},
    {"encoding", "multilingual", "seeds"},
    {"formats"},
    {"normalize"},
    {"_scanning", "_tiles"},
    {"_lists"},
    {"_topk"},
    {"_clusters", "_similarity"},
    {"_pruning"},
    {"_both"},
    {"retrieval"},
    {"hubs", "_translations"},
    {"training", "reallocation", "alignment", "word_alignment"},
    {"oversharing", "pivot", "_variants"},
    {"_effort"},
    {"bli", "dictionary", "choice", "approximate"},
    {"_search"},
    {"selection"},
    {"auto", "unsupervised"},
    {"tuning", "systems"},
    {"synthetic", "data"},
    {"ner"},
    {"contextual"},
    {"plots", "report", "translation"},
    {"pipeline", "study"},
    {"demo"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"torch", "matplotlib", "gensim", "transformers", "sacremoses", "jieba", "faiss", "ray"}
HEAVY |= {"tokenizers", "sacrebleu"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def own_name(path):
    return list(path.relative_to(ROOT).with_suffix("").parts)


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            for alias in node.names:
                deeper = (ROOT.parent / node.module.replace(".", "/") / f"{alias.name}.py").exists()
                yield f"{node.module}.{alias.name}" if deeper else node.module


def allowed(importer, target):
    if importer[0] != target[0]:
        private = len(target) > 1 and target[-1].startswith("_")
        return RANK[target[0]] < RANK[importer[0]] and not private
    if len(importer) == 1 or importer[-1] in {"api", "app", "__init__"}:
        return True
    return len(target) > 1 and (target[-1] == "base" or target[-1].startswith("_"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(own_name(path)))
def test_imports_go_to_lower_layers(path):
    importer = own_name(path)
    for name in imported(ast.parse(path.read_text("utf-8"))):
        if name == "jointalign":
            raise AssertionError(f"{path}: import the module, not the package")
        if name.startswith("jointalign."):
            target = name.split(".")[1:]
            assert allowed(importer, target), f"{'.'.join(importer)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(own_name(path)))
def test_heavy_packages_are_imported_where_they_are_needed(path):
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not {str(name).split(".")[0] for name in names} & HEAVY


def test_every_module_has_a_layer():
    assert {own_name(path)[0] for path in MODULES} <= set(RANK)


def test_the_test_catches_an_import_upwards():
    assert not allowed(["retrieval"], ["bli", "api"])
    assert not allowed(["alignment", "rcsls"], ["alignment", "procrustes"])
    assert allowed(["alignment", "rcsls"], ["alignment", "base"])
    assert not allowed(["cli", "evaluate"], ["bli", "_rules"])
    assert allowed(["bli", "api"], ["retrieval"])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(own_name(path)))
def test_modules_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300
