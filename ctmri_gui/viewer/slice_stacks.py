"""The pictures of volumes on slices, made once for all who show, compare or score them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from ctmri_core.volume import Volume
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.slice_stack import SliceStack, slices_of


class SliceStacks:
    """`ready` is told of a stack whose first picture can be had now."""

    def __init__(self, ready: Callable[[SliceStack], None]) -> None:
        self._ready = ready
        self._stacks: list[SliceStack] = []

    def of(self, volume: Volume, shown: DisplayedGrid) -> SliceStack:
        """The pictures of a volume on the slices shown."""
        found = next((stack for stack in self._stacks if stack.serves(volume, shown.grid)), None)
        if found is None:
            found = slices_of(volume, shown, partial(self._tell, volume, shown))
            self._stacks.append(found)
        return found

    def keep(self, wanted: Iterable[SliceStack]) -> None:
        """Ends all others."""
        kept = list(wanted)
        for stack in self._stacks:
            if not any(stack is one for one in kept):
                stack.close()
        self._stacks = [stack for stack in self._stacks if any(stack is one for one in kept)]

    def _tell(self, volume: Volume, shown: DisplayedGrid) -> None:
        stack = next((stack for stack in self._stacks if stack.serves(volume, shown.grid)), None)
        if stack is not None:
            self._ready(stack)
