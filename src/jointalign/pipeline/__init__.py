"""The whole job in stages on disk: `jointalign run`."""

from jointalign.pipeline._finished import Finished, Rankable, finished, rankable, texts
from jointalign.pipeline.api import run
from jointalign.pipeline.base import RunResult, RunSettings

__all__ = ["Finished", "Rankable", "RunResult", "RunSettings", "finished", "rankable", "run", "texts"]
