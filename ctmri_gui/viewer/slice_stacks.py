"""The pictures of volumes on slices, made once for all who show, compare or score them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ctmri_core.volume import Volume
from ctmri_gui.viewer.displayed_grid import DisplayedGrid
from ctmri_gui.viewer.slice_stack import SampledSlices, SliceStack, slices_of


class SliceStacks:
    """`listeners` are told of a stack whose first picture can be had now."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[SliceStack], None]] = []
        self._stacks: list[SliceStack] = []
        self._wanted: dict[str, list[SliceStack]] = {}

    def __len__(self) -> int:
        return len(self._stacks)

    def of(self, volume: Volume, shown: DisplayedGrid, *, exactly: bool = False) -> SliceStack:
        """The pictures of a volume on the slices shown. `exactly`: as of `SliceStack.serves`."""
        found = self._find(volume, shown, exactly)
        if found is None:
            found = slices_of(volume, shown, partial(self._tell, volume, shown, exactly), exactly=exactly)
            self._stacks.append(found)
        return found

    def made(self, volume: Volume, shown: DisplayedGrid, k: int) -> NDArray[np.float32] | None:
        """As `SampledSlices.made`, whoever had it made."""
        for exactly in (True, False):
            stack = self._find(volume, shown, exactly)
            found = stack.made(k) if isinstance(stack, SampledSlices) else None
            if found is not None:
                return found
        return None

    def keep(self, who: str, wanted: Iterable[SliceStack]) -> None:
        """What `who` needs from now on; ends those that nobody needs."""
        self._wanted[who] = list(wanted)
        kept = {id(stack) for stacks in self._wanted.values() for stack in stacks}
        for stack in self._stacks:
            if id(stack) not in kept:
                stack.close()
        self._stacks = [stack for stack in self._stacks if id(stack) in kept]

    def close(self) -> None:
        """No more pictures are made ahead."""
        for who in tuple(self._wanted):
            self.keep(who, ())

    def _find(self, volume: Volume, shown: DisplayedGrid, exactly: bool) -> SliceStack | None:
        return next((stack for stack in self._stacks if stack.serves(volume, shown.grid, exactly=exactly)), None)

    def _tell(self, volume: Volume, shown: DisplayedGrid, exactly: bool) -> None:
        stack = self._find(volume, shown, exactly)
        if stack is not None:
            for listener in self.listeners:
                listener(stack)
