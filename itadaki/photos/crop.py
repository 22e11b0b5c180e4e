"""The part of a photo that is meant, where it shows more than one dish."""

import math
from typing import NamedTuple

import numpy as np

from itadaki.errors import QueryError

SMALLEST = 0.02
"""The shortest side of a part, as a share of the photo's."""


class Crop(NamedTuple):
    """A part of an upright photo, in shares of its width and height.

    Attributes:
        x: left edge.
        y: upper edge.
        width: up to the right edge.
        height: down to the lower edge.
    """

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, text: str) -> "Crop":
        """Read ``x,y,width,height``.

        Raises:
            QueryError: it is something else, or does not lie within the photo.
        """
        try:
            crop = cls(*map(float, text.split(",")))
        except (TypeError, ValueError):
            raise QueryError(
                f"A crop is x,y,width,height, such as 0.5,0,0.5,1, not {text[:40]!r}."
            ) from None
        return crop.checked()

    def checked(self) -> "Crop":
        """The same, with rounding at the edges taken off.

        Raises:
            QueryError: it does not lie within the photo, or is nearly nothing of it.
        """
        x, y, width, height = self
        inside = all(map(math.isfinite, self)) and min(x, y) >= 0
        if not inside or max(x + width, y + height) > 1 + 1e-3:
            raise QueryError(
                "A crop lies within the photo: x + width and y + height are at most 1."
            )
        if min(width, height) < SMALLEST:
            raise QueryError(f"A crop has sides of at least {SMALLEST} of the photo's.")
        return Crop(x, y, min(width, 1 - x), min(height, 1 - y))

    def of_photo(self, rgb: np.ndarray) -> np.ndarray:
        """The part of an upright photo: uint8 array of shape (height, width, 3)."""
        height, width = rgb.shape[:2]
        left, top = int(self.x * width), int(self.y * height)
        right = max(left + 1, round((self.x + self.width) * width))
        bottom = max(top + 1, round((self.y + self.height) * height))
        return np.ascontiguousarray(rgb[top:bottom, left:right])
