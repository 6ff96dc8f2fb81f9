"""The colours of label pictures as Pascal VOC has them: the bits of a number, spread over red, green and blue."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def voc_palette() -> bytes:
    """768 bytes: red, green, blue of the numbers 0 to 255. 0 is black, 1 dark red, 255 nearly white."""
    colours = bytearray()
    for number in range(256):
        for channel in range(3):
            bits = (number >> (3 * step + channel) & 1 for step in range(3))
            colours.append(sum(bit << (7 - step) for step, bit in enumerate(bits)))
    return bytes(colours)
