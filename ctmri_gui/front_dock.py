"""Which dock stands in front: the one that has to do with what is on the screen and what is being done."""

from __future__ import annotations

from functools import partial

from ctmri_core.comparison import Comparison
from ctmri_gui.docks import Docks
from ctmri_gui.jobs.queue import JobState
from ctmri_gui.session import Session
from ctmri_gui.viewer.keys import MEASURE_TOOLS
from ctmri_gui.viewer.linked_views import LinkedViews


def follow_work(docks: Docks, session: Session, views: LinkedViews) -> None:
    """Translating shows the translation; what can be compared, the metrics, unless more came of translating than a picture; a
    measuring tool, the measurements. A tab that somebody chose stays until another case is shown.
    """

    running: list[JobState] = []

    def show_run(state: JobState | None) -> None:
        """Once for each run, however often it tells how far it is."""
        begins = state is not None and state not in running
        running[:] = [] if state is None else [state]
        if begins:
            docks.bring("Translation")

    def show_metrics(comparison: Comparison | None) -> None:
        made = session.made
        alone = made is None or not (made.maps or made.draws)
        if alone and comparison is not None and comparison.verdict.comparable:
            docks.bring("Metrics")

    def show_measuring(tool: str) -> None:
        if tool in MEASURE_TOOLS:
            docks.bring("Measurements")

    def begin_anew() -> None:
        docks.forget_choice()
        docks.bring("Translation")

    session.caseChanged.connect(begin_anew)
    session.scanOpened.connect(partial(docks.bring, "Translation"))
    session.translationChanged.connect(show_run)
    session.comparisonChanged.connect(show_metrics)
    views.toolChanged.connect(show_measuring)
