"""Whether the truth may follow the other panes: it lies in their frame of reference, or was found to show the same place."""

from __future__ import annotations

from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.slice_view import SliceView
from ctmri_gui.viewer.viewer_model import ViewerModel


class FrameJudge:
    """Unlinks the truth of another frame of reference, once; links it again when it turns out to be comparable all the same.

    `comparable`: whether synthetic and truth show the same thing in the same place; None while that is not known.
    """

    def __init__(self, model: ViewerModel) -> None:
        self._model = model
        self.truths: list[SliceView] = []
        """The panes that show the truth and say what does not fit."""
        self.comparable: bool | None = None
        self._frames: tuple[str, str] | None = None
        self._kept_apart = False

    def judge(self) -> None:
        """Anew, after volumes or the verdict have changed; what does not fit stands on the pane."""
        frames = self._model.foreign_frames
        if frames != self._frames:
            self._frames, self._kept_apart = frames, frames is not None
            self._model.set_role_linked(Role.TRUTH, frames is None)
        if self.comparable and self._kept_apart:
            self._kept_apart = False
            self._model.set_role_linked(Role.TRUTH, True)
        by_hand = self._model.offset(Role.TRUTH) is not None
        foreign = frames is not None and not self.comparable and not by_hand
        badge = "not comparable" if self.comparable is False else "other frame of reference" if foreign else ""
        for pane in self.truths:
            pane.strip.set_state(badge)
