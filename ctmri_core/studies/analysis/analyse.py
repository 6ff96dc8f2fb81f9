"""From answers and truth to results, the same for the same study."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

import ctmri_core
from ctmri_core.errors import CtmriError
from ctmri_core.studies.analysis.agreeing import agreed, kappa_of
from ctmri_core.studies.analysis.answered import Answered, test_trials
from ctmri_core.studies.analysis.asked import asked
from ctmri_core.studies.analysis.by_case import by_case, flagged, reasons
from ctmri_core.studies.analysis.course import course
from ctmri_core.studies.analysis.diagnosis import diagnosis
from ctmri_core.studies.analysis.found import Agreed, Value
from ctmri_core.studies.analysis.gather import Gathered
from ctmri_core.studies.analysis.grading import scales
from ctmri_core.studies.analysis.groups import by_groups
from ctmri_core.studies.analysis.ranking import ranking
from ctmri_core.studies.analysis.results import Flow, ReaderRow, StudyCard, StudyResults
from ctmri_core.studies.analysis.telling import telling
from ctmri_core.studies.analysis.verdict import sentence
from ctmri_core.studies.assignment import feasible
from ctmri_core.studies.truth import Truth

_LIBRARIES = ("numpy", "scipy")


def analyse(gathered: Gathered, made: datetime | None = None) -> StudyResults:
    """`made`: now, if None. Raises `CtmriError` where the truth is sealed."""
    answered = Answered(gathered)
    among = agreed(answered)
    results = StudyResults(
        made=made or datetime.now(UTC),
        programs={"ctmri-studio": ctmri_core.__version__, **{name: version(name) for name in _LIBRARIES}},
        card=_card(gathered, answered.truth), anchors=tuple(map(str, gathered.anchors)), faults=gathered.faults,
        closed=gathered.closed, flow=_flow(answered), pooled_readers=answered.pooled, verdict="",
        readers=tuple(_reader(answered, name, among) for name in gathered.assignments),
        telling=telling(answered) if answered.design in ("yes_no", "two_alternatives") else None,
        diagnosis=diagnosis(answered), scales=scales(answered), ranking=ranking(answered), agreement=among,
        subgroups=by_groups(answered), course=course(answered), cases=by_case(answered), reasons=reasons(answered),
        asked=asked(answered), flagged=flagged(answered),
    )  # fmt: skip
    return results.model_copy(update={"verdict": sentence(results)})


def _card(gathered: Gathered, truth: Truth) -> StudyCard:
    try:
        relaxed = feasible(gathered.file.protocol, truth.plan, truth.items).relaxed
    except CtmriError as error:  # set up by a version that allowed it
        relaxed = (str(error),)
    file, plan = gathered.file, truth.plan
    return StudyCard(
        protocol=file.protocol, protocol_sha256=file.sha256, commitment=file.commitment, opened=file.opened,
        opened_with=file.version, seed=plan.seed, proportion=plan.proportion, repeats=plan.repeats, order=plan.order,
        relaxed=relaxed, arms=truth.arms, harmonised=truth.harmonised, said=truth.said,
    )  # fmt: skip


def _flow(answered: Answered) -> Flow:
    items, out = answered.truth.items, answered.truth.exclusions
    blocks = sorted({item.block for item in items})
    orders = answered.gathered.assignments.values()
    return Flow(
        offered=len({item.case for item in items} | {one.case for one in out}), exclusions=out,
        excluded=dict(Counter(one.reason for one in out)),
        shown={block: dict(Counter(item.arm for item in items if item.block == block)) for block in blocks},
        patients={block: len({item.patient for item in items if item.block == block}) for block in blocks},
        answers=len(answered.first) + len(answered.again), expected=sum(len(test_trials(order)) for order in orders),
    )  # fmt: skip


def _reader(answered: Answered, reader: str, among: tuple[Agreed, ...]) -> ReaderRow:
    gathered = answered.gathered
    order, facts = gathered.assignments[reader], gathered.facts.get(reader)
    sittings = [entry.payload for entry in gathered.entries if entry.kind == "session" and entry.reader == reader]
    monitors = [one["monitor"] for one in sittings if isinstance(one.get("monitor"), dict)]
    patches = [bool(one.get("patches")) for one in monitors]
    own, again = answered.of(reader), answered.of(reader, answered.again)
    seen = [sum(row.answer.viewing.slices) for row in own if row.answer.viewing.slices]
    kappa = kappa_of(among, reader)
    late = {entry.payload.get("reader") for entry in gathered.own if entry.kind == "changed"}
    practice = {trial.token for trial in order.trials if trial.block == "practice"}
    return ReaderRow(
        reader=reader, years=None if facts is None else facts.years, specialty="" if facts is None else facts.specialty,
        sittings=len(sittings),
        practice=sum(answer.reader == reader and answer.trial in practice for answer in gathered.answers),
        trials=len(test_trials(order)), answered=len(own) + len(again), repeats=len(again),
        finished=reader in answered.finished, late=reader in late, patches=all(patches) if patches else None,
        median_s=median(row.seconds for row in own) if own else None,
        focus_lost_s=sum(row.answer.focus_lost_ms for row in (*own, *again)) / 1000, slices_seen=median(seen) if seen else None,
        kappa=Value(because="No trial was shown to this reader twice.") if kappa is None else kappa.value,
        order_sha256=gathered.order_sha256(reader), numpy=order.numpy,
    )  # fmt: skip
