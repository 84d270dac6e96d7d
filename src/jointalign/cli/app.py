"""All sub-commands in one place, and what happens when one fails."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from jointalign.cli import (
    align,
    align_features,
    align_text,
    convert,
    data,
    demo,
    evaluate,
    features,
    mt,
    ner,
    plot,
    pretrain,
    reallocate,
    run_all,
    study,
    train,
    translate,
)
from jointalign.cli._console import logged_to_messages, say
from jointalign.errors import JointalignError
from jointalign.version import __version__

INTERRUPTED = 130
RESUMED = "run, study, train, ner train, mt train, features, align-features, pretrain and data get"

application = typer.Typer(
    name="jointalign",
    help="One vector space and a scored bilingual dictionary from text in two languages.",
    epilog="Anywhere on the line: --verbose shows more notes, --debug the traceback of an error.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
application.command("demo")(demo.command)
application.command("run")(run_all.command)
application.command("train")(train.command)
application.command("reallocate")(reallocate.command)
application.add_typer(align.application, name="align")
application.command("align-text")(align_text.command)
application.command("features")(features.command)
application.command("align-features")(align_features.command)
application.command("pretrain")(pretrain.command)
application.add_typer(evaluate.application, name="evaluate")
application.command("translate")(translate.command)
application.add_typer(ner.application, name="ner")
application.add_typer(mt.application, name="mt")
application.command("plot")(plot.command)
application.add_typer(study.application, name="study")
application.command("convert")(convert.command)
application.add_typer(data.application, name="data")


@application.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code: 0, 2 for bad input, 130 when interrupted."""
    debug = "--debug" in arguments
    try:
        with logged_to_messages(verbose=debug or "--verbose" in arguments):
            command = typer.main.get_command(application)
            result = command.main(
                [argument for argument in arguments if argument not in ("--debug", "--verbose")],
                prog_name="jointalign",
                standalone_mode=False,
            )
        if result == INTERRUPTED:
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except TyperException as error:  # the line itself is wrong: unknown option, missing value
        error.show()  # type: ignore[attr-defined]
        return error.exit_code  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        say(f"stopped; what is finished is kept: {RESUMED} go on when started again")
        return INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        if not any(isinstance(one, BrokenPipeError) for one in (error, error.__context__)):
            raise
        # Whoever read our output has seen enough, which Click takes for a failure; keep Python
        # from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the last resort of a program: no traceback for users
        if debug:
            traceback.print_exc()
        say(_one_line(error))
        return 2 if isinstance(error, JointalignError | OSError | MemoryError) else 1


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, JointalignError):
        return f"error: {text}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "error: no space left on the disk; free some and start the same command again"
    if isinstance(error, OSError):
        return f"error: {text}"
    if isinstance(error, MemoryError):
        return "error: out of memory; use fewer dimensions or a smaller --max-vocabulary"
    return f"error: this is a bug in jointalign: {type(error).__name__}: {text} (see --debug)"
