"""A history of synthetic pictures for the discriminator (Shrivastava et al. 2017, section 2.3; Zhu et al. 2017, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class ImagePool:
    """Keeps `size` pictures. While it fills, pictures come back as they are; then, with even odds, an older one in exchange.

    Its state is part of a checkpoint. Size 0 keeps nothing.
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self._kept: list[Tensor] = []

    def exchange(self, pictures: Tensor) -> Tensor:
        """(n, c, h, w) detached -> the same shape, from now and earlier."""
        if self.size == 0:
            return pictures
        answers = []
        for picture in pictures:
            if len(self._kept) < self.size:
                self._kept.append(picture.clone())
                answers.append(picture)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                answers.append(self._kept[place])
                self._kept[place] = picture.clone()
            else:
                answers.append(picture)
        return torch.stack(answers)

    def state_dict(self, name: str) -> dict[str, Tensor]:
        """The pictures, (c, h, w), as `name.0`, `name.1` and so on; they are never changed in place."""
        return {f"{name}.{place}": picture for place, picture in enumerate(self._kept)}

    def load_state_dict(self, name: str, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Puts back what `state_dict` gave under `name`."""
        count = sum(key.startswith(f"{name}.") for key in state)
        self._kept = [state[f"{name}.{place}"].to(device) for place in range(count)]
