"""What the study was: its hashes and chance, the flow of its cases, the leak audit as it was given, its readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ctmri_core.reporting.document import Block, Caution, Cell, Column, Facts, Paragraph, Table, count, number
from ctmri_core.reporting.wording import plural
from ctmri_core.studies.analysis.results import StudyResults
from ctmri_core.studies.leak_audit import LeakAudit
from ctmri_core.studies.report.wording import DESIGNS, REASONS, arm_label, missing, percent, value_cell


def facts(results: StudyResults) -> Facts:
    card = results.card
    protocol, asked = card.protocol, card.protocol.analysis
    made = ", ".join(f"{name} {number_}" for name, number_ in results.programs.items())
    pairs = (
        ("Design", DESIGNS[protocol.design]), ("Question", protocol.question), ("About", protocol.about),
        ("Margin", f"±{asked.margin:g}, fixed before the first answer" if protocol.design != "rank" else ""),
        ("Level", f"{asked.alpha:g}, two-sided"),
        ("Opened", f"{card.opened} with version {card.opened_with}"),
        ("Analysed", f"{results.made:%Y-%m-%d %H:%M} {results.made.tzname() or ''}, {made}"),
        ("Protocol", f"SHA-256 {card.protocol_sha256}"), ("Sealed truth", f"SHA-256 {card.commitment}, committed to at opening"),
        ("Seed", card.seed),
        ("Share of synthetic pictures asked for", f"{100 * card.proportion:g} %" if protocol.design == "yes_no" else ""),
        ("Order", _order(results)), ("Record", "; ".join(results.anchors)),
    )  # fmt: skip
    return Facts(tuple((name, told) for name, told in pairs if told))


def _order(results: StudyResults) -> str:
    order = results.card.order
    told = f"no more than {order.longest_run} of one kind in a row" if order.longest_run else "runs of any length"
    kept = f"{told}, pictures of one patient {order.pairs_apart} and repeats {order.repeats_apart} trials apart"
    relaxed = results.card.relaxed
    return f"{kept}; relaxed on record: {'; '.join(relaxed)}" if relaxed else kept


def arms_table(results: StudyResults) -> Table:
    """Which kinds of picture there are, by what model."""
    columns = tuple(Column(title, numeric=False) for title in ("Kind", "Method", "Weights", "Licence of training data"))
    arms = results.card.arms
    rows = tuple((arm_label(arm.name), arm.method or "–", arm.weights_sha256 or "–", arm.licence or "–") for arm in arms)
    return Table("Kinds of picture", columns, rows)


def flow_tables(results: StudyResults) -> Iterator[Block]:
    """From cases offered to answers."""
    flow = results.flow
    rows: list[tuple[Cell, Cell]] = [("Cases offered", count(flow.offered))]
    rows += [(f"left out: {REASONS[reason]}", count(number_)) for reason, number_ in sorted(flow.excluded.items())]
    for block in sorted(flow.shown, reverse=True):
        rows.append((f"Patients in the {_BLOCKS[block]}", count(flow.patients[block])))
        rows += [(f"{arm_label(arm)} pictures in the {_BLOCKS[block]}", count(many)) for arm, many in flow.shown[block].items()]
    rows += [("Answers expected of all readers", count(flow.expected)), ("Answers given", count(flow.answers))]
    yield Table("Flow of cases", (Column("Step", numeric=False), Column("Count")), tuple(rows))
    by_hand = [one for one in flow.exclusions if one.reason in ("hand", "failed", "geometry", "kind") and one.words]
    if by_hand:
        told = tuple((one.case, arm_label(one.arm) if one.arm else "–", REASONS[one.reason], one.words) for one in by_hand)
        columns = tuple(Column(title, numeric=False) for title in ("Case", "Kind", "Why", "In words"))
        yield Table("Cases that were left out, in words", columns, told, most_on_paper=40)


_BLOCKS = {"test": "test", "practice": "practice block"}


def leak_audit(results: StudyResults) -> Iterator[Block]:
    """As it was said at opening; in general words where it was said in another form."""
    said = results.card.said
    audit = _audit(said)
    if audit is None:
        told = _flat(said)
        yield Facts(told) if told else Paragraph("No leak audit stands in the record of this study.")
    else:
        yield Paragraph(audit.words)
        yield Facts(tuple(_audit_numbers(audit)))
        if audit.features:
            medians = (Column("Median", kind) for kind in ("real", "synthetic"))
            columns = (Column("Feature", numeric=False), Column("Area alone"), *medians)
            rows = tuple((one.title, number(one.area, 2), number(one.real), number(one.synthetic)) for one in audit.features)
            yield Table("Features, the most telling first", columns, rows)
        reason = next((str(said[key]) for key in ("override", "reason", "overridden") if said.get(key)), "")
        if reason:
            yield Caution("Opened although the audit spoke against it", f"Reason on record: {reason}")
    if results.card.harmonised:
        heads = (Column("Feature", numeric=False), Column("Step", numeric=False), Column("Area before"), Column("Area after"))
        steps = tuple((one.feature, one.step, number(one.before, 2), number(one.after, 2)) for one in results.card.harmonised)
        yield Table("Differences that were taken away before anybody read", heads, steps)


def _audit(said: Mapping[str, Any]) -> LeakAudit | None:
    for given in (said.get("audit"), said.get("leak_audit"), said):
        try:
            return LeakAudit.model_validate(given)
        except ValidationError:
            continue
    return None


def _audit_numbers(audit: LeakAudit) -> Iterator[tuple[str, str]]:
    if audit.area is not None:
        span = "" if audit.low is None or audit.high is None else f", 95 % interval {audit.low:.2f} to {audit.high:.2f}"
        yield "Area", f"{audit.area:.2f}{span}"
    if audit.p is not None:
        yield "p", f"{audit.p:.3f} (arms exchanged at random within patients)"
    yield "Pictures", f"{audit.pictures} of {plural(audit.patients, 'patient')}"
    yield "Verdict", audit.verdict


def _flat(said: Mapping[str, Any], above: str = "") -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for key, value in said.items():
        name = f"{above}{key}".replace("_", " ")
        found += _flat(value, f"{name}, ") if isinstance(value, dict) else [(name.capitalize(), str(value))]
    return tuple(found)


def readers_table(results: StudyResults) -> Table:
    """Who read, how far, in what time."""
    columns = (
        Column("Reader", numeric=False), Column("Years"), Column("Specialty", numeric=False), Column("Sittings"),
        Column("Test answers", "of trials"), Column("Practice", "answers"), Column("Finished", numeric=False),
        Column("Pattern", "seen", numeric=False), Column("Median time", "s"), Column("Away", "s"), Column("Slices", "median"),
        Column("Kappa", "with oneself"),
    )  # fmt: skip
    rows = tuple(
        (
            one.reader, number(one.years, 0 if one.years is not None and one.years == round(one.years) else 1),
            one.specialty or "–", count(one.sittings), f"{one.answered} of {one.trials}", count(one.practice),
            ("yes" if one.finished else "no") + (", added later" if one.late else ""),
            {None: "–", True: "yes", False: "no"}[one.patches], number(one.median_s, 1), number(one.focus_lost_s, 0),
            number(one.slices_seen, 0), value_cell(one.kappa, 2),
        )
        for one in results.readers
    )  # fmt: skip
    confidence = percent(1 - results.card.protocol.analysis.alpha)
    why = missing(*((one.reader, one.kappa) for one in results.readers))
    above = (
        "Pattern: the 5 % and the 95 % patch of the test pattern were seen at every sitting. Times are less what another"
        " window had the"
        f" keys, which is “away”. Slices: seen in a trial. Intervals of kappa ({confidence}) stand under agreement.", *why,
    )  # fmt: skip
    return Table("Readers", columns, rows, above)
