"""Reads the command line and hands it to one command."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import ctmri_core
from ctmri_core.cli import convert, demo, info, models, prepare, train, translate
from ctmri_core.cli.terminal import EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE, crash_report, terminated_as_interrupted
from ctmri_core.errors import CtmriError
from ctmri_core.hints import nearest_hint

COMMANDS = {
    "translate": translate, "convert": convert, "prepare": prepare, "train": train, "models": models, "info": info, "demo": demo,
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """Names the nearest right command or flag when one is wrong."""

    def error(self, message: str) -> NoReturn:
        hint, known = "", self._known_words()
        flags = [word.rstrip(":,") for word in message.split() if word.startswith("--")]
        for word in [*(word for word in sys.argv[1:] if word.lstrip("-").split("=")[0] in message), *flags]:
            if word not in known:
                hint = nearest_hint(word.split("=")[0], known) or hint
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: {message}{end}{hint} See {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but what nobody knows is told by the command that was given it, which knows its own flags."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown and not any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown

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
        with terminated_as_interrupted():
            status: int = parsed.run(parsed)
    except CtmriError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_STOPPED
    except BrokenPipeError:  # whoever read the output has gone; Python would complain of it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  # the one funnel of the command line: a traceback might show a patient's data
        sys.stderr.write(f"{crash_report(error)}\n")
        return EXIT_FAILED
    return status
