"""All sub-commands in one place, and what happens when one fails."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.exceptions import TyperException

from jointalign.cli._console import COMMAND, logged_to_messages, say
from jointalign.cli._help import ALL, on_a_screen
from jointalign.cli._options import Group
from jointalign.errors import JointalignError
from jointalign.storage.lines import LONGEST_LINE, longest_line
from jointalign.version import __version__

INTERRUPTED = 130
_LONGEST, _MOST_MIB = "--longest-line", 1 << 20
RESUMED = "run, study, train, ner train, mt train, features, align-features, pretrain and data get"

COMMANDS = {
    "demo": "Two made-up languages with a known dictionary through every row of the table.",
    "run": "Two texts and a dictionary in; one space, a scored dictionary and honest scores out.",
    "train": "Train one embedding on all texts together: skip-gram with character n-grams.",
    "reallocate": "Give words of one language back to it, and report oversharing.",
    "align": "Learn a mapping and move all words by it.",
    "rank": "Rank translations by vectors, frequency, spelling and affixes, with probabilities.",
    "mine": "Find the sentences of two texts that translate each other, the surest first.",
    "align-text": "Link the words of sentences that translate each other.",
    "features": "Write a vector for each word of a text, in its sentence, in half precision.",
    "align-features": "Learn a map for each layer of an encoder from words that translate each other.",
    "pretrain": "Train a masked language model on all texts together: a multilingual BERT of your own.",
    "evaluate": "Scores with their conditions.",
    "translate": "Translate words, or export the whole dictionary.",
    "concordance": "The lines of a run's texts in which a word occurs, as they were written.",
    "review": "Go through the dictionary of a run in the browser, with sentences of both texts.",
    "ner": "Named entities: learn a tagger in one language, use it in another without a label there.",
    "mt": "Translation learnt from two texts that are no translations of each other.",
    "transfer": "Give a language model the vocabulary of another language; all its other weights stay.",
    "plot": "Draw both languages before reallocation, after it, and after alignment.",
    "study": "Tables 1 to 4 and Figure 2 of the paper on your languages, beside the published numbers.",
    "convert": "Convert vectors; content tells what is read, the suffix or --to what is written.",
    "data": "Dictionaries, vectors and text from the web.",
}
"""Every sub-command and its line of help; its module is imported when it is chosen."""


class _Commands(Group):
    """Loads a command when it is chosen: help and version need none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"jointalign.cli.{cmd_name.replace('-', '_')}")
        holder = typer.Typer(rich_markup_mode=None)
        if hasattr(module, "application"):
            holder.add_typer(module.application, name=cmd_name)
        else:
            holder.command(cmd_name)(module.command)
        return typer.main.get_group(on_a_screen(holder)).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # what a typo is likened to
        return super().resolve_command(ctx, args)


application = typer.Typer(
    name="jointalign",
    cls=_Commands,
    help="One vector space and a scored bilingual dictionary from text in two languages.",
    epilog="Anywhere on the line: --verbose shows more notes, --debug the traceback of an error, "
    f"{ALL} explains every option; --longest-line MIB reads lines of more than 64 MiB.",
    context_settings={"max_content_width": 100},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
            own = [argument for argument in arguments if argument not in ("--debug", "--verbose")]
            own, longest = _longest_line(own)
            command = typer.main.get_command(application)
            own = ["--help" if argument == ALL else argument for argument in own]
            asked = {ALL: ALL in arguments, COMMAND: list(arguments)}
            with longest_line(longest):
                result = command.main(own, prog_name="jointalign", standalone_mode=False, obj=asked)
        if result == INTERRUPTED:
            raise KeyboardInterrupt
        sys.stdout.flush()  # while a closed pipe can still be told from a bug
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


def _longest_line(arguments: list[str]) -> tuple[list[str], int]:
    """The arguments without `--longest-line`, and what it says, in bytes."""
    place = next((at for at, one in enumerate(arguments) if one.split("=")[0] == _LONGEST), None)
    if place is None:
        return arguments, LONGEST_LINE
    _, equals, given = arguments[place].partition("=")
    after = place + (1 if equals else 2)
    given = given if equals else "".join(arguments[place + 1 : after])
    if not given.isdecimal() or not 1 <= int(given) <= _MOST_MIB:
        raise JointalignError(f"{_LONGEST} takes a number of MiB from 1 to {_MOST_MIB}, got '{given}'")
    return arguments[:place] + arguments[after:], int(given) << 20


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
