"""Multi-scale structural similarity of slices and volumes (Wang, Simoncelli and Bovik, Asilomar 2003, Eq. 7)."""

from __future__ import annotations

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the five scales, finest first (section 4.2)."""
