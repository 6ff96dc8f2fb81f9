"""How each pane compares, and what it may compare with. Widgets ask here; none decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from ctmri_gui.viewer.compare.colour_maps import MAPS
from ctmri_gui.viewer.compare.difference import Compared, Scale, in_order, number, scale_of
from ctmri_gui.viewer.compare.modes import Compare, Mode, next_checker, partners_of
from ctmri_gui.viewer.roles import Role
from ctmri_gui.viewer.viewer_model import ViewerModel

FIRST_LIMITS = {"HU": 200.0, "%": 30.0}
_LIMITS = {"HU": (5.0, 4000.0), "%": (1.0, 200.0)}
_FADE_STEP, _LINE_STEP, _LIMIT_STEP = 0.1, 0.05, 1.25
_PIXELS_TO_DOUBLE = 150.0
_MAIN_PAIR = frozenset((Role.SYNTHETIC, Role.TRUTH))
_BY_HAND = "The two were linked by hand with an offset, so what lies on one another is not known to be one place."


@dataclass(frozen=True)
class CompareLook:
    """How panes compare at one moment, by their ids; with the scale of differences, its colours, and what is held."""

    by_pane: Mapping[str, Compare]
    limits: Mapping[str, float]
    colours: str
    held: str | None

    def with_line(self, pane: str, line: float) -> CompareLook:
        """With the line of the wipe in a pane elsewhere."""
        return replace(self, by_pane={**self.by_pane, pane: replace(self.by_pane[pane], line=line)})


class CompareModel(QObject):
    """By the ids of the panes. The scale of differences is one for all panes, so that they can be held against each other;
    everything else is each pane's own.
    """

    changed = Signal(object)  # tuple of pane ids
    coloursChanged = Signal(str)

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._by_pane: dict[str, Compare] = {}
        self._last: dict[str, Mode] = {}
        self._paused: set[str] = set()
        self._limits = dict(FIRST_LIMITS)
        self._compared: dict[frozenset[Role], Compared] = {}
        self.colours = next(iter(MAPS))
        self.held: str | None = None
        self.trying = False
        """Whether the truth is shown in another place for a look."""

    # What is

    def of(self, pane: str) -> Compare:
        return self._by_pane.get(pane, Compare())

    def partners(self, pane: str) -> tuple[Role, ...]:
        """With what the pane can be compared now, the most telling first; nothing while it is empty."""
        role = self._role_of(pane)
        present = tuple(self._viewer.volumes)
        return partners_of(role, present) if role in present and role is not None else ()

    def partner(self, pane: str) -> Role | None:
        """With what it is compared: what was asked for while that is there, else what tells most."""
        others = self.partners(pane)
        wanted = self.of(pane).other
        return wanted if wanted in others else next(iter(others), None)

    def scale(self, pane: str) -> Scale | str:
        """How the two volumes of a pane are subtracted, or why they are not. Only asked where there are two."""
        role, other = self._role_of(pane), self.partner(pane)
        assert role is not None and other is not None
        if self._viewer.offset(role) is not None or self._viewer.offset(other) is not None:
            return _BY_HAND
        return scale_of(self._compared.get(frozenset((role, other))), self._viewer.volumes, {role, other})

    def doubt(self, pane: str) -> str:
        """Why the two pictures of a pane do not show each place of the patient at one place, in a few words; empty where they do
        as far as is known, and where one is seen alone."""
        role, other = self._role_of(pane), self.partner(pane)
        if role is None or other is None or not (self.of(pane).active or self.held == pane):
            return ""
        if not self._viewer.share_space(role, other):
            return "other frame of reference"
        if self._viewer.offset(role) is not None or self._viewer.offset(other) is not None:
            return "linked by hand"
        if self.trying and Role.TRUTH in (role, other):
            return "alignment not accepted yet"
        truths = (compared for pair, compared in self._compared.items() if Role.TRUTH in pair)
        unaligned = any(compared.verdict.aligned is False for compared in truths)
        return "not aligned" if unaligned and Role.TRUTH in (role, other) else ""

    def limit(self, unit: str) -> float:
        """The difference that has the end colours."""
        return self._limits[unit]

    def title(self, pane: str) -> str:
        """What the pane shows, in words: `Synthetic | Ground truth, wipe`; empty while it shows its own volume alone."""
        role, other, compare = self._role_of(pane), self.partner(pane), self.of(pane)
        if role is None or other is None:
            return ""
        if self.held == pane:
            return f"{other.label} instead of {role.label.lower()}"
        if compare.mode is Mode.DIFFERENCE:
            scale = self.scale(pane)
            if isinstance(scale, str):
                return f"{role.label}: no difference"
            one, second = in_order((role, other))
            return f"{one.label} − {second.label}, ±{number(self._limits[scale.unit])} {scale.unit}"
        if compare.mode is Mode.FADE:
            return f"{role.label} | {other.label}, fade {round(100 * compare.amount)} %"
        return f"{role.label} | {other.label}, {compare.mode.value}" if compare.active else ""

    def shows_both(self, pane: str) -> bool:
        """Whether anything of the other volume is in the picture, or can be with a key."""
        if self.partner(pane) is None:
            return False
        compare = self.of(pane)
        if compare.mode is Mode.DIFFERENCE and self.held != pane:
            return isinstance(self.scale(pane), Scale)
        return compare.active or self.held == pane

    # What the user wants

    def begin(self, pane: str, mode: Mode) -> None:
        """A pane that is new, or shows something else than before: whatever was compared there is over. Tells nobody."""
        self._by_pane[pane] = Compare(mode)
        self._paused.discard(pane)

    def set_mode(self, pane: str, mode: Mode) -> None:
        self._paused.discard(pane)
        if mode is not Mode.OFF:
            self._last[pane] = mode
        self._put(pane, replace(self.of(pane), mode=mode))

    def cycle(self, pane: str) -> None:
        """To the next way of comparing, and back to one picture after the last; nothing where there is nothing to compare."""
        if self.partner(pane) is None:
            return  # else a picture that comes later would be mixed with another for a key that nobody remembers
        self.set_mode(pane, self.of(pane).mode.next)

    def toggle(self, pane: str) -> None:
        """One picture, and back to the way in which the pane last compared; nothing where there is nothing to compare."""
        if self.partner(pane) is None:
            return
        active = self.of(pane).active
        self.set_mode(pane, Mode.OFF if active else self._last.get(pane, Mode.FADE))
        if active:
            self._paused.add(pane)

    def is_paused(self, pane: str) -> bool:
        """Whether a comparison was switched off only for a look at the picture alone."""
        return pane in self._paused

    def next_other(self, pane: str) -> None:
        """Compares with the next of the volumes that it may be compared with."""
        others, other = self.partners(pane), self.partner(pane)
        if other is not None:
            self.set_other(pane, others[(others.index(other) + 1) % len(others)])

    def set_other(self, pane: str, other: Role | None) -> None:
        """Compares with that volume; None: with what tells most."""
        self._put(pane, replace(self.of(pane), other=other))

    def set_amount(self, pane: str, amount: float) -> None:
        self._put(pane, replace(self.of(pane), amount=min(max(amount, 0.0), 1.0)))

    def set_line(self, pane: str, line: float) -> None:
        self._put(pane, replace(self.of(pane), line=min(max(line, 0.0), 1.0)))

    def set_upright(self, pane: str, upright: bool) -> None:
        self._put(pane, replace(self.of(pane), upright=upright))

    def set_checker(self, pane: str, size_mm: float) -> None:
        self._put(pane, replace(self.of(pane), checker_mm=size_mm))

    def step(self, pane: str, more: int) -> None:
        """One step more (+1) or less (-1) of the other picture: fade, line of the wipe, size of the squares, or strength of the
        colours, which is a narrower scale."""
        compare = self.of(pane)
        if compare.mode is Mode.FADE:
            self.set_amount(pane, round((compare.amount + more * _FADE_STEP) / _FADE_STEP) * _FADE_STEP)
        elif compare.mode is Mode.WIPE:
            self.set_line(pane, compare.line - more * _LINE_STEP)
        elif compare.mode is Mode.CHECKER:
            self.set_checker(pane, next_checker(compare.checker_mm, more))
        elif compare.mode is Mode.DIFFERENCE:
            self._scale_limit(pane, _LIMIT_STEP**-more)

    def drag_limit(self, pane: str, right: float, _up: float = 0.0) -> bool:
        """A left drag over a difference, in pixels: to the right widens its scale, as it widens a window. Whether the pane shows
        a difference, so that the drag was meant for it."""
        if self.of(pane).mode is not Mode.DIFFERENCE or self.partner(pane) is None or isinstance(self.scale(pane), str):
            return False
        self._scale_limit(pane, 2 ** (right / _PIXELS_TO_DOUBLE))
        return True

    def reset_limits(self) -> None:
        self._limits = dict(FIRST_LIMITS)
        self._tell_differences()

    def set_colours(self, name: str) -> None:
        """One of `MAPS`, for all panes."""
        if name != self.colours:
            self.colours = name
            self.coloursChanged.emit(name)
            self._tell_differences()

    def hold(self, pane: str | None) -> None:
        """Shows the other volume alone in a pane for as long as it is held; None lets go."""
        panes = tuple(one for one in (self.held, pane) if one is not None)
        self.held = pane if pane is not None and self.partner(pane) is not None else None
        if panes:
            self.changed.emit(panes)

    def look(self, panes: Iterable[str]) -> CompareLook:
        """How `panes` compare now."""
        return CompareLook({pane: self.of(pane) for pane in panes}, dict(self._limits), self.colours, self.held)

    def bring(self, look: CompareLook) -> None:
        """Compares as it was then; which colours are chosen stays remembered."""
        before, self._limits, self.colours = self.look(look.by_pane), dict(look.limits), look.colours
        self._by_pane.update(look.by_pane)
        changed = {pane for pane, compare in look.by_pane.items() if compare != before.by_pane[pane]}
        if (before.limits, before.colours) != (look.limits, look.colours):
            changed.update(pane for pane, compare in self._by_pane.items() if compare.mode is Mode.DIFFERENCE)
        if before.held != look.held:
            changed.update(pane for pane in (before.held, look.held) if pane is not None)
            self.held = look.held
        if changed:
            self.changed.emit(tuple(changed))

    def set_compared(self, compared: Compared | None, further: Mapping[frozenset[Role], Compared] | None = None) -> None:
        """What is known of synthetic and truth; None while that is not known. `further`: of other pairs."""
        main = {} if compared is None else {_MAIN_PAIR: compared}
        self._compared = {**(further or {}), **main}
        panes = tuple(pane for pane, compare in self._by_pane.items() if compare.active)
        if panes:
            self.changed.emit(panes)

    def _role_of(self, pane: str) -> Role | None:
        """Whose pane it is; None where there is no such pane any more."""
        spec = self._viewer.panes.get(pane)
        return None if spec is None else spec.role

    def _put(self, pane: str, compare: Compare) -> None:
        if compare != self.of(pane):
            self._by_pane[pane] = compare
            self.changed.emit((pane,))

    def _scale_limit(self, pane: str, factor: float) -> None:
        scale = self.scale(pane) if self.partner(pane) is not None else ""
        if isinstance(scale, Scale):
            low, high = _LIMITS[scale.unit]
            self._limits[scale.unit] = min(max(self._limits[scale.unit] * factor, low), high)
            self._tell_differences()

    def _tell_differences(self) -> None:
        panes = tuple(pane for pane, compare in self._by_pane.items() if compare.mode is Mode.DIFFERENCE)
        if panes:
            self.changed.emit(panes)
