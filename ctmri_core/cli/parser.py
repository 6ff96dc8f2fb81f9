"""The reader of words that every command uses: it names the nearest right one where a word is wrong."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from typing import Any, NoReturn

from ctmri_core.cli.terminal import EXIT_USAGE
from ctmri_core.hints import nearest_hint


class Parser(argparse.ArgumentParser):
    """Flags are written in full: a beginning that means one flag today may mean another tomorrow.

    `elsewhere`: flags that are right in another place, with a sentence that says where.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, "formatter_class": _Lines, **options})
        self.elsewhere: Mapping[str, str] = {}

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(EXIT_USAGE, f"{self.prog}: {message}{end} See {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but what nobody knows is told by the command that was given it, which knows its own flags."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown and not any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            self.error(self._unknown(unknown))
        return parsed, unknown

    def _unknown(self, words: list[str]) -> str:
        flags = [word.partition("=")[0] for word in words if word.startswith("-")]
        if not flags:
            return f"{' '.join(words)!r} is more than is asked for. Values with spaces need quotes."
        known = [flag for action in self._actions for flag in action.option_strings]
        hint = f" {self.elsewhere[flags[0]]}" if flags[0] in self.elsewhere else nearest_hint(flags[0], known)
        return f"there is no {flags[0]} here.{hint}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            listed = ", ".join(map(str, action.choices))
            raise argparse.ArgumentError(action, f"{value!r} is none of {listed}.{nearest_hint(str(value), action.choices)}")


class _Lines(argparse.RawDescriptionHelpFormatter):
    """Indented lines of the texts before and after the flags stay as they are, others are broken where the terminal ends."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (
            indent + line if line.startswith(" ") else textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent)
            for line in text.splitlines()
        )
        return "".join(f"{line}\n" for line in lines)
