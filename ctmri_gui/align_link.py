"""Ties aligning to the viewer and the window: the proposal is shown as a checkerboard, its bar stands above the panes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from ctmri_core.aligning.by_hand import Nudge
from ctmri_core.aligning.kinds import NOT_ALIGNED
from ctmri_core.volume import Finding
from ctmri_gui import file_choice
from ctmri_gui.aligning.align_bar import AlignBar
from ctmri_gui.aligning.aligner import Aligner
from ctmri_gui.aligning.nudge_keys import NudgeKeys
from ctmri_gui.messages import Kind, MessageBars
from ctmri_gui.session import Session
from ctmri_gui.settings import Settings
from ctmri_gui.undo import History
from ctmri_gui.viewer.compare.modes import Compare, Mode
from ctmri_gui.viewer.linked_views import LinkedViews
from ctmri_gui.viewer.roles import Role

_PATTERN = "Transforms of ITK (*.tfm *.txt)"


class AlignLink(QObject):
    """`bar`: what goes above the panes."""

    def __init__(
        self, session: Session, settings: Settings, views: LinkedViews, history: History, messages: MessageBars, window: QWidget
    ) -> None:
        super().__init__(window)
        self._session, self._settings, self._views, self._window = session, settings, views, window
        self._messages = messages
        self.aligner = Aligner(session, history, self)
        self.bar = AlignBar(self.aligner)
        self.keys = NudgeKeys(views, self._nudged, self.aligner.nudge)
        self._compared: tuple[str, Compare] | None = None
        self.aligner.changed.connect(self._follow)
        self.aligner.failed.connect(self._say_failed)
        self.bar.beforeShown.connect(lambda _before: self._follow())
        self.bar.nudging.connect(self._nudge)
        self.bar.saveAsked.connect(self._where_to_save)
        self.bar.loadAsked.connect(self.which_file)
        views.offerTaken.connect(self._take_offer)

    def connect_actions(self, start: QAction, by_hand: QAction, load: QAction) -> None:
        """The commands of the window."""
        start.triggered.connect(lambda _checked=False: self.aligner.start())
        by_hand.triggered.connect(lambda _checked=False: self.aligner.start_by_hand())
        load.triggered.connect(lambda _checked=False: self.which_file())

    def which_file(self) -> None:
        """Asks for a transform and shows what it does."""
        if self.aligner.problem:
            self._say_failed(self.aligner.problem)
            return
        for path in file_choice.existing_files(self._window, "Load transform", self._settings["last_folder"], _PATTERN)[:1]:
            self.aligner.load(path)

    def _where_to_save(self) -> None:
        folder, number = Path(self._settings["last_folder"] or Path.home()), self._settings.next_number()
        start = folder / f"ct_mri_studio_transform_{number:03d}.tfm"
        chosen = file_choice.new_file(self._window, "Save transform", start, _PATTERN)
        if chosen is not None:
            self.aligner.save(chosen if chosen.suffix else chosen.with_name(f"{chosen.name}.tfm"))

    def _nudged(self) -> Nudge | None:
        proposal = self.aligner.proposal
        return proposal.nudge if proposal is not None and proposal.may_be_nudged else None

    def _take_offer(self, role: Role, kind: str) -> None:
        if role is Role.TRUTH and kind == NOT_ALIGNED:
            self.aligner.start("rigid")

    def _say_failed(self, text: str) -> None:
        offers = [] if self.aligner.problem else [("Align by hand", self.aligner.start_by_hand)]
        self._messages.show_message(text, Kind.ERROR, passing=True, offers=offers)

    def _nudge(self, on: bool) -> None:
        self.keys.on = on
        if on:
            self._views.focus_active()

    def _follow(self) -> None:
        """The truth as it is proposed, or as it lies in the case."""
        proposal, shown = self.aligner.proposal, self._session.volumes[Role.TRUTH]
        compare = self._views.compare.model
        compare.trying = proposal is not None
        if proposal is not None and not self.bar.before.isChecked():
            shown = proposal.shown
        if self._views.model.volumes.get(Role.TRUTH) is not shown:
            self._views.set_volume(Role.TRUTH, shown)
            self._views.set_banner(Role.TRUTH, self._findings(), {} if proposal else self._session.offers(Role.TRUTH))
        if proposal is not None and self._compared is None:
            self._show_both()
        elif proposal is None and self._compared is not None:
            self._show_as_before()

    def _findings(self) -> tuple[Finding, ...]:
        proposal = self.aligner.proposal
        if proposal is None or self.bar.before.isChecked():
            return self._session.warnings(Role.TRUTH)
        return proposal.shown.findings

    def _show_both(self) -> None:
        """A checkerboard of truth and source in the first pane of either."""
        model = self._views.compare.model
        roles = {view.role: name for name, view in reversed(self._views.panes.items())}
        pane = roles.get(Role.TRUTH) or roles.get(Role.SOURCE)
        if pane is None:
            return
        self._compared = pane, model.of(pane)
        model.set_other(pane, Role.SOURCE if Role.TRUTH in roles else Role.TRUTH)
        model.set_mode(pane, Mode.CHECKER)

    def _show_as_before(self) -> None:
        assert self._compared is not None
        pane, before = self._compared
        self._compared = None
        if pane in self._views.panes:
            self._views.compare.model.set_other(pane, before.other)
            self._views.compare.model.set_mode(pane, before.mode)
