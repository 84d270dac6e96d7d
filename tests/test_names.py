"""Names that a user imports mean one thing each in the whole project."""

import importlib
import inspect
import pkgutil
from collections import defaultdict

import jointalign


def public_classes():
    """For each name of a class that some public module offers, where classes of that name are from."""
    found = defaultdict(set)
    for info in pkgutil.walk_packages(jointalign.__path__, "jointalign."):
        if any(part.startswith("_") for part in info.name.split(".")) or ".cli" in info.name:
            continue
        module = importlib.import_module(info.name)
        offered = getattr(module, "__all__", None)
        for name, value in inspect.getmembers(module, inspect.isclass):
            own = value.__module__ == info.name if offered is None else name in offered
            if own and name[0] != "_" and value.__module__.startswith("jointalign."):
                found[value.__name__].add(value.__module__)
    return found


def test_no_two_public_classes_have_one_name():
    found = public_classes()
    assert {"SkipGram", "TaggerFitSettings", "TranslationFitSettings", "Counts"} <= set(found)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
