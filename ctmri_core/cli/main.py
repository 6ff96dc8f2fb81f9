"""Reads the command line and hands it to one command."""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

import ctmri_core
from ctmri_core.cli import demo, info, models, train, translate
from ctmri_core.cli.terminal import EXIT_FAILED, EXIT_USAGE
from ctmri_core.errors import CtmriError

COMMANDS = {"translate": translate, "train": train, "models": models, "info": info, "demo": demo}


class Parser(argparse.ArgumentParser):
    """Names the nearest right command or flag when one is wrong."""

    def error(self, message: str) -> NoReturn:
        hint = ""
        for word in [word for word in sys.argv[1:] if word.lstrip("-").split("=")[0] in message]:
            nearest = difflib.get_close_matches(word.split("=")[0], self._known_words(), n=1)
            if nearest and nearest[0] != word:
                hint = f" Did you mean {nearest[0]}?"
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: {message}{end}{hint} See {self.prog} --help\n")

    def _known_words(self) -> list[str]:
        return [word for action in self._actions for word in (*action.option_strings, *(action.choices or ()))]


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(prog="ctmri", description="See, make and judge synthetic MRI and CT. Without a command, the window opens.")
    top.add_argument("--version", action="version", version=f"CT-MRI Studio {ctmri_core.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").strip().splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments:
        return subprocess.call([sys.executable, "-m", "ctmri_gui"])
    parsed = parser().parse_args(arguments)
    if parsed.command is None:
        parser().print_help()
        return EXIT_USAGE
    try:
        status: int = parsed.run(parsed)
    except CtmriError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return 130
    return status
