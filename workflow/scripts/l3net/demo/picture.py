"""Drawing in the demo's videos: anti-aliased shapes from signed distances, backgrounds and colours.

Conventions: pictures being drawn are float32 RGB [shape=(3, height, width)]; an object is drawn in its own coordinates,
x to the right and y down, its extent about -1 to 1; a distance is negative inside a shape; colours are RGB, 0 to 255.
"""

import colorsys
from dataclasses import dataclass

import numpy as np

IVORY, INK, STEEL, GLOW = (
    np.array(rgb, np.float32) for rgb in ((245, 240, 225), (35, 32, 40), (150, 152, 160), (255, 250, 190))
)


def colour(hue: float, saturation: float = 0.8, value: float = 0.9) -> np.ndarray:
    """Return the RGB colour [shape=(3,)] of a hue in degrees and a saturation and value of 0 to 1."""
    return np.array(colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value), np.float32) * 255


def circle(x, y, cx=0.0, cy=0.0, radius=1.0):
    """Return the distance to a disc."""
    return np.hypot(x - cx, y - cy) - radius


def ellipse(x, y, cx, cy, a, b):
    """Return the approximate distance to an ellipse with half axes `a` and `b`."""
    return (np.hypot((x - cx) / a, (y - cy) / b) - 1.0) * min(a, b)


def box(x, y, cx, cy, half_width, half_height, corner=0.0):
    """Return the distance to a rectangle with rounded corners."""
    dx = np.abs(x - cx) - (half_width - corner)
    dy = np.abs(y - cy) - (half_height - corner)
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - corner


def stroke(x, y, start, end, radius):
    """Return the distance to a line with round ends."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
    return np.hypot(x - x0 - along * dx, y - y0 - along * dy) - radius


def polygon(x, y, *corners):
    """Return the distance to a convex polygon whose corners go clockwise on the screen."""
    distance = None
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = max(np.hypot(x1 - x0, y1 - y0), 1e-9)
        edge = ((y1 - y0) * (x - x0) - (x1 - x0) * (y - y0)) / length
        distance = edge if distance is None else np.maximum(distance, edge)
    return distance


def ring(distance, half_width):
    """Return the distance to the outline of a shape."""
    return np.abs(distance) - half_width


@dataclass
class Canvas:
    """A picture being drawn, and the object's coordinates of each pixel in a region of it.

    Parameters
    ----------
    image : np.ndarray float32 [shape=(3, height, width)] ; `paint` draws on it.
    centre : where the object's (0, 0) lies, in pixels.
    size : pixels of one unit of the object's coordinates.
    """

    image: np.ndarray
    centre: tuple[float, float]
    size: float

    def __post_init__(self) -> None:
        height, width = self.image.shape[1:]
        (cx, cy), reach = self.centre, 1.35 * self.size
        left, right = max(int(cx - reach), 0), min(int(cx + reach) + 1, width)
        top, bottom = max(int(cy - reach), 0), min(int(cy + reach) + 1, height)
        self.region = self.image[:, top:bottom, left:right]
        self.y, self.x = np.meshgrid(
            ((np.arange(top, bottom) - cy) / self.size).astype(np.float32),
            ((np.arange(left, right) - cx) / self.size).astype(np.float32),
            indexing="ij",
        )

    def paint(self, distance: np.ndarray, rgb: np.ndarray, opacity: float = 1.0) -> None:
        """Fill a shape, given by its distance in object units, with a colour."""
        cover = np.clip(0.5 - distance * np.float32(self.size), 0.0, opacity).astype(np.float32, copy=False)
        self.region += cover * (np.asarray(rgb, np.float32)[:, None, None] - self.region)

    def pixels(self, brightness: float, highest: int) -> np.ndarray:
        """Return the picture as uint8 [shape=(height, width, 3)], at most `highest`."""
        return np.clip(self.image * np.float32(brightness), 0, highest).astype(np.uint8).transpose(1, 2, 0).copy()


def background(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return a pale place that says nothing of the object: a room, hills, a curtain or blurred lights."""
    kind, hue, value = rng.integers(4), rng.uniform(0, 360), rng.uniform(0.45, 0.95)
    far, near = colour(hue, 0.15, value), colour(hue + rng.uniform(-60, 60), 0.18, value * rng.uniform(0.6, 0.85))
    slope = np.linspace(1.0, 0.75, height, dtype=np.float32)[:, None]
    image = np.broadcast_to(far[:, None, None] * slope, (3, height, width)).copy()
    canvas = Canvas(image, (width / 2, height / 2), max(height, width) / 2)
    x, y = canvas.x, canvas.y
    if kind == 0:
        canvas.paint(rng.uniform(0.2, 0.5) - y, near)
    elif kind == 1:
        for shade in (0.9, 0.75):
            hills = 0.15 * np.sin(x * rng.uniform(3, 6) + rng.uniform(0, 6)) + rng.uniform(0.15, 0.35)
            canvas.paint(hills - y, near * shade)
    elif kind == 2:
        canvas.paint(np.sin(x * rng.uniform(8, 16) + rng.uniform(0, 6)) * 0.05, near, 0.6)
    else:
        for cx, cy in rng.uniform(-1, 1, (8, 2)).tolist():
            canvas.paint(circle(x, y, cx, cy, rng.uniform(0.08, 0.25)), near, rng.uniform(0.2, 0.6))
    return image


@dataclass(frozen=True)
class Shades:
    """The colours of one drawn thing: its main colour, with the hue of this clip, and two shades of it."""

    main: np.ndarray

    @property
    def dark(self) -> np.ndarray:
        """The shaded side."""
        return 0.55 * self.main

    @property
    def light(self) -> np.ndarray:
        """The lit side."""
        return 0.55 * self.main + 115
