"""Says what a file or folder holds: series, geometry, values, and what to know before trusting it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctmri_core.cli.input_choices import add_input_arguments, listed_series, positive, ways_out
from ctmri_core.cli.terminal import EXIT_FAILED, Terminal
from ctmri_core.errors import FileRefused, printable, shown_name

if TYPE_CHECKING:
    from ctmri_core.io.series import Series


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input_arguments(parser)
    parser.add_argument("--values", action="store_true", help="read the voxels too and print their range")
    parser.add_argument("--header", action="store_true", help="print the fields of the header, patient data hidden")
    parser.add_argument("--slice", type=positive, default=1, metavar="N", help="with --header: of which slice (default 1)")
    parser.add_argument("--identifying", action="store_true", help="with --header: print patient data as well")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    if arguments.header:
        return _run_header(arguments)
    from ctmri_core.events import finish
    from ctmri_core.io.opening import load
    from ctmri_core.io.report import describe

    reports = []
    for number, series in listed_series(arguments):
        refused = {}
        volume = None
        if arguments.values:
            try:
                volume = finish(load(series))
            except FileRefused as refusal:
                refused = {"refused": str(refusal)}
        where = {"file": _place(series, arguments.input)}
        reports.append({"series": number, **describe(series, volume), **where, "what_to_do": ways_out(series), **refused})
    terminal = Terminal(as_json=False)
    terminal.say(json.dumps(reports, indent=2) if arguments.json else "\n\n".join(map(_text, reports)))
    return EXIT_FAILED if all("refused" in report for report in reports) else 0


def _place(series: Series, given: Path) -> str:
    """Where in `given` the series lies, by which its user tells series of one name apart; what an archive holds has no names."""
    place = series.path if series.path.is_file() else series.files[0].parent
    within = place != given and place.is_relative_to(given)
    return printable(place.relative_to(given).as_posix()) if within else shown_name(series.path)


def _run_header(arguments: argparse.Namespace) -> int:
    """The header of each series; a series of fewer slices has that of its last one."""
    from ctmri_core.io.header_view import series_header

    reports = []
    for number, series in listed_series(arguments):
        header = series_header(series, min(arguments.slice, len(series.files)) - 1)
        fields = [
            {
                "depth": entry.depth,
                "tag": entry.tag,
                "name": entry.name,
                "kind": entry.kind,
                "value": entry.value if arguments.identifying else entry.safe_value,
                "identifying": entry.identifying,
            }
            for entry in header.entries
        ]
        place = {"slice": header.number + 1, "slices_with_headers": header.count}
        reports.append({"series": number, "label": series.label, **place, "header": fields})
    text = json.dumps(reports, indent=2) if arguments.json else "\n\n".join(map(_header_text, reports))
    Terminal(as_json=False).say(text)
    return 0


def _header_text(report: dict[str, Any]) -> str:
    count = report["slices_with_headers"]
    place = f"; header of slice {report['slice']} of {count}" if count > 1 else ""
    lines = [f"Series {report['series']}: {report['label']}{place}"]
    for field in report["header"]:
        what = " ".join(filter(None, (field["tag"], field["name"], f"[{field['kind']}]" if field["kind"] else "")))
        lines.append(f"  {'  ' * field['depth']}{what}{': ' if field['value'] else ''}{field['value']}")
    return "\n".join(lines)


_NAMES = {"slices_rows_columns": "slices x rows x columns", "spacing_mm": "spacing of slices, rows, columns"}


def _text(report: dict[str, Any]) -> str:
    """The report for people: what is absent is left out, units stand behind their values."""
    lines = [f"Series {report['series']}: {report['label']}"]
    for key, value in report.items():
        if key not in ("series", "label", "unit", "findings", "what_to_do", "refused") and value not in (False, "no", "", []):
            lines.append(f"  {_NAMES.get(key, key.removesuffix('_mm').replace('_', ' '))}: {_value(key, value, report)}")
    findings = [f"    - {finding['weight']}: {finding['message']}" for finding in report["findings"]]
    lines += ["  findings:", *findings] if findings else ["  findings: none"]
    lines += [f"  what to do: {'; '.join(report['what_to_do'])}"] if report["what_to_do"] else []
    return "\n".join([*lines, f"  refused: {report['refused']}"] if "refused" in report else lines)


def _value(key: str, value: Any, report: dict[str, Any]) -> str:
    if key == "values":
        return f"{value[0]:g} to {value[1]:g} {report['unit']}"
    text = (", " if key == "origin_mm" else " x ").join(map(_number, value)) if isinstance(value, list) else _number(value)
    return f"{text} mm" if key.endswith("_mm") else text


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
