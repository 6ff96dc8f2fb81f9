"""The windows of the volumes on the panes, and which of them move together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ctmri_core.preprocess.mr_range import body_range
from ctmri_core.volume import Volume, once_per_volume
from ctmri_gui.viewer.preset_book import PresetBook
from ctmri_gui.viewer.presets import Window, first_window, percentile_window
from ctmri_gui.viewer.roles import Role

_ONE_SIZE = 3.0


class VolumeWindows:
    """Windows are shared within a modality: CT panes have the same window, and so have images of one kind that models made, if
    their values are of one size; other MR panes, whose units are arbitrary, move in proportion unless the synthetic ones match
    truth. `volumes`: those of the panes, kept up to date by their owner."""

    def __init__(self, volumes: dict[Role, Volume], presets: PresetBook) -> None:
        self._volumes, self._presets = volumes, presets
        self.by_role: dict[Role, Window] = {}
        self.matches_truth = False

    def renew(self, role: Role) -> None:
        """After the volume of a role was replaced or taken away."""
        self.by_role.pop(role, None)
        volume = self._volumes.get(role)
        if volume is not None:
            self.by_role[role] = self._opening(role, volume)
            self._follow_truth()

    def put_back(self, windows: Mapping[Role, Window], matches_truth: bool) -> None:
        """Windows of volumes that were shown before; what came since opens beside them."""
        self.matches_truth = matches_truth
        self.by_role.update(windows)
        for role in self._volumes:
            if role not in windows:
                self.renew(role)

    def levels(self, role: Role) -> tuple[float, float]:
        return self.by_role[role].levels(dicom=self._volumes[role].dicom is not None)

    def set(self, role: Role, window: Window) -> tuple[Role, ...]:
        """The window of a volume, and of those whose windows go with it; these roles."""
        before = self.by_role[role]
        peers = self._peers(role)
        for peer in peers:
            if self._same_scale(role, peer):
                self.by_role[peer] = window
            else:
                own, ratio = self.by_role[peer], self.by_role[peer].width / before.width
                centre = own.centre + (window.centre - before.centre) * ratio
                self.by_role[peer] = Window(centre, max(window.width * ratio, 1e-3))
        return peers

    def apply_preset(self, preset_id: str, role: Role) -> tuple[Role, ...]:
        """One of the volume's presets; the roles whose windows it set, none where there is no such preset."""
        preset = next((one for one in self._presets.of(self._volumes.get(role)) if one.id == preset_id), None)
        if preset is None:
            return ()
        if preset.stored and preset.window is not None:  # of this volume's scale
            return self.set(role, preset.window)
        peers = self._peers(role)
        if preset.percentiles is not None:
            self.matches_truth = self.matches_truth and preset.key != "0"
            low, high = preset.percentiles
            self._set_each(role, lambda volume: percentile_window(volume, low, high))
        elif preset.window is not None:
            self.by_role.update(dict.fromkeys(peers, preset.window))
        if preset.matches_truth:
            self.matches_truth = True
        self._follow_truth()
        return peers

    def reset(self, role: Role) -> tuple[Role, ...]:
        """The window with which the volume opened, for it and its modality; volumes in HU keep one in common."""
        self.matches_truth = False
        self._set_each(role, first_window)
        return self._peers(role)

    def _set_each(self, role: Role, of: Callable[[Volume], Window]) -> None:
        """The volume's window and those of its peers, each from its own values; what is in HU keeps one window."""
        for peer in self._peers(role):
            whose = role if _one_scale(self._volumes[role], self._volumes[peer]) else peer
            self.by_role[peer] = of(self._volumes[whose])

    def _opening(self, role: Role, volume: Volume) -> Window:
        for other, present in self._volumes.items():
            if other is not role and other in self.by_role and _one_scale(volume, present):
                return self.by_role[other]
        return first_window(volume)

    def _follow_truth(self) -> None:
        made = [peer for peer in self._peers(Role.TRUTH) if peer.is_synthetic]
        if self.matches_truth and made:
            self.by_role.update(dict.fromkeys(made, self.by_role[Role.TRUTH]))

    def _same_scale(self, one: Role, other: Role) -> bool:
        matched = self.matches_truth and Role.SOURCE not in (one, other)
        return one is other or matched or _one_scale(self._volumes[one], self._volumes[other])

    def _peers(self, role: Role) -> tuple[Role, ...]:
        """The volumes of the same modality, `role` among them; nothing where there is none."""
        if role not in self._volumes:
            return ()
        modality = self._volumes[role].domain.modality
        return tuple(one for one, volume in self._volumes.items() if volume.domain.modality == modality)


def _one_scale(one: Volume, other: Volume) -> bool:
    """Whether one window tells the same of both."""
    if one.unit == other.unit == "HU":
        return True
    made_alike = one.synthetic is not None and other.synthetic is not None and one.domain is other.domain
    return made_alike and 1 / _ONE_SIZE < _reach(one) / _reach(other) < _ONE_SIZE


@once_per_volume
def _reach(volume: Volume) -> float:
    """From the darkest to the brightest value of the body."""
    low, high = body_range(volume)
    return high - low
