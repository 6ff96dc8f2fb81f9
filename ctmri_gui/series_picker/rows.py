"""What the series picker says of each series: plain text, made from headers alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ctmri_core.io.series import PICTURES, REFUSED, Series
from ctmri_core.volume import Finding, kind_label

_SLICE_COUNT = re.compile(r"\d+ slices?")


@dataclass(frozen=True)
class Row:
    """One series in words. `title`: kind and what tells it from others; `facts`: plane, size, spacing, format; `badges`: what
    sets it apart; `remarks`: refusal, then serious findings, then the others, in full."""

    series: Series
    title: str
    facts: str
    badges: tuple[str, ...]
    remarks: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        return self.series.refusal is None

    @property
    def more(self) -> str:
        """How many remarks there are beside the first."""
        return f"+{len(self.remarks) - 1} more" if len(self.remarks) > 1 else ""

    @property
    def spoken(self) -> str:
        """All of it, for a screen reader and for the search."""
        start = "" if self.usable else "Cannot be opened. "
        said = (finding.message for finding in self.remarks)
        return ". ".join(part for part in (f"{start}{self.title}", self.facts, *self.badges, *said) if part)


def rows_of(series: Iterable[Series]) -> tuple[Row, ...]:
    """One row each: what can be opened first, then what is refused, localizers last. Rows that look alike are numbered."""
    ordered = sorted(series, key=lambda entry: (entry.localizer, entry.refusal is not None))
    rows = [_row(entry) for entry in ordered]
    alike = Counter((row.title, row.facts) for row in rows)
    numbers: Counter[tuple[str, str]] = Counter()
    told_apart = []
    for row in rows:
        key = (row.title, row.facts)
        numbers[key] += 1
        told_apart.append(replace(row, title=f"{row.title} ({numbers[key]} of {alike[key]} alike)") if alike[key] > 1 else row)
    return tuple(told_apart)


def left_out(series: Sequence[Series]) -> tuple[str, ...]:
    """What is said of the folder and not of one series, each once."""
    return tuple({finding.message: None for entry in series for finding in entry.findings if _is_elsewhere(finding)})


def _row(series: Series) -> Row:
    companion = "Picture beside a scan" if series.format_name == PICTURES else "Localizer"
    badges = [text for text, on in ((companion, series.localizer), ("Synthetic", series.synthetic)) if on]
    own = (finding for finding in series.findings if not _is_elsewhere(finding))
    remarks = sorted(own, key=lambda finding: (finding.kind != REFUSED, not finding.serious))
    facts = (series.plane, _size(series), _spacing(series), series.format_name)
    return Row(series, _title(series), " · ".join(fact for fact in facts if fact), tuple(badges), tuple(remarks))


def _title(series: Series) -> str:
    """The kind, then the parts of the label that the row does not say elsewhere."""
    kind = kind_label(series.domain, synthetic=series.synthetic, phantom=False)
    first, *others = series.label.split(", ")
    if first.startswith(kind):
        kind = first
    else:
        others.insert(0, first)
    return " · ".join((kind, *(part for part in others if not _SLICE_COUNT.fullmatch(part))))


def _size(series: Series) -> str:
    if series.shape is None:
        return ""
    k, rows, columns = series.shape
    return f"{k} {'slice' if k == 1 else 'slices'} × {rows} × {columns}"


def _spacing(series: Series) -> str:
    if series.spacing is None:
        return ""
    between, row, column = series.spacing
    single = series.shape is not None and series.shape[0] == 1
    return f"{row:.3g} × {column:.3g} mm, {between:.3g} mm {'thick' if single else 'apart'}"


def _is_elsewhere(finding: Finding) -> bool:
    """Whether a finding tells of the folder: of files that are no part of its series, or of other patients."""
    return finding.kind in ("passed_over", "several_patients") or (finding.kind == "left_out" and not finding.serious)
