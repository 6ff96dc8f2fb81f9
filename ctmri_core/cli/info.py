"""Says what a file or folder holds: series, geometry, values, and what to know before trusting it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ctmri_core.cli.terminal import EXIT_FAILED, Terminal, given_path
from ctmri_core.errors import FileRefused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=given_path, metavar="PATH", help="a file or a folder")
    parser.add_argument("--values", action="store_true", help="read the voxels too and print their range")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from ctmri_core.events import finish
    from ctmri_core.io.opening import load, scan
    from ctmri_core.io.report import describe

    reports = []
    for number, series in enumerate(scan(arguments.path), 1):
        refused = {}
        volume = None
        if arguments.values:
            try:
                volume = finish(load(series))
            except FileRefused as refusal:
                refused = {"refused": str(refusal)}
        reports.append({"series": number, **describe(series, volume), **refused})
    terminal = Terminal(as_json=False)
    terminal.say(json.dumps(reports, indent=2) if arguments.json else "\n\n".join(map(_text, reports)))
    return EXIT_FAILED if all("refused" in report for report in reports) else 0


def _text(report: dict[str, Any]) -> str:
    lines = []
    for name, value in report.items():
        label = name.replace("_", " ")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{label}: {' · '.join(str(part) for part in entry.values())}" for entry in value]
        elif isinstance(value, list | tuple):
            lines.append(f"{label}: {' x '.join(_number(part) for part in value)}" if value else f"{label}: none")
        else:
            lines.append(f"{label}: {_number(value)}")
    return "\n".join(lines)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
