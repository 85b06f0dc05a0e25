"""Environmental objects of the demo's synthetic world: what each source looks like, and how it moves with its sound.

An object has a hue, a function from the `Moves` of a score to a pose of small integers for each frame (few distinct
ones, so that each is drawn once), and a function that draws a pose.
"""

import numpy as np

from l3net.demo.motion import Scene, cycle, fade
from l3net.demo.picture import GLOW, INK, IVORY, STEEL, Canvas, box, circle, ellipse, polygon, ring, stroke


def _waves(canvas: Canvas, cx: float, cy: float, pose: int, rgb: np.ndarray) -> None:
    """Draw arcs of sound that leave (cx, cy) to the upper right; pose 0 draws none."""
    for n in range(pose):
        arc = ring(circle(canvas.x, canvas.y, cx, cy, 0.18 + 0.16 * n), 0.035)
        canvas.paint(np.maximum(arc, np.maximum(cx - canvas.x, canvas.y - cy - 0.1)), rgb)


def _dog_poses(moves):
    return np.stack([fade(moves, 0.28, 4), (moves.index % 2)], 1)


def _draw_dog(canvas, pose, look):
    x, (bark, ears) = canvas.x, pose
    y = canvas.y + 0.05 * bark
    canvas.paint(ellipse(x, canvas.y, 0, 1.05, 0.75, 0.45), look.dark)
    canvas.paint(ellipse(x, y, 0, 0, 0.72, 0.72), look.main)
    for sign in (-1, 1):
        canvas.paint(ellipse(x, y, sign * (0.72 + 0.04 * bark), -0.12 - 0.12 * (bark > 0), 0.2, 0.5), look.dark)
        canvas.paint(circle(x, y, sign * 0.28, -0.2, 0.13), IVORY)
        canvas.paint(circle(x, y, sign * 0.26, -0.18 + 0.03 * ears, 0.08), INK)
    canvas.paint(ellipse(x, y, 0, 0.32, 0.42, 0.34), look.light)
    canvas.paint(ellipse(x, y, 0, 0.15, 0.15, 0.1), INK)
    canvas.paint(ellipse(x, y, 0, 0.44 + 0.05 * bark, 0.24, 0.03 + 0.09 * bark), np.array([130, 30, 40]))
    if bark:
        canvas.paint(ellipse(x, y, 0, 0.5 + 0.08 * bark, 0.14, 0.04 * bark), np.array([240, 120, 130]))
    _waves(canvas, 0.55, 0.35, bark, IVORY)


def _siren_poses(moves):
    return np.stack([cycle(moves.share * 2, 10), (moves.share > 0.25) & (moves.share < 0.75)], 1)


def _draw_siren(canvas, pose, look):
    x, y, (turn, high) = canvas.x, canvas.y, pose
    angle = 2 * np.pi * turn / 10
    along = x * np.cos(angle) + y * np.sin(angle)
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    canvas.paint(np.maximum(across - 0.4 * np.abs(along), np.hypot(x, y) - 1.25), look.light, 0.8)
    canvas.paint(np.minimum(np.maximum(circle(x, y, 0, 0, 0.62), y), box(x, y, 0, 0.25, 0.62, 0.3)), look.main)
    canvas.paint(ellipse(x, y, 0.4 * np.cos(angle), 0.05, 0.08 + 0.2 * abs(np.sin(angle)), 0.3), GLOW)
    canvas.paint(stroke(x, y, (-0.35, -0.25), (-0.2, -0.42), 0.06), look.light)
    canvas.paint(box(x, y, 0, 0.7, 0.85, 0.2, 0.08), INK)
    canvas.paint(box(x, y, 0, 0.64, 0.7, 0.05), look.light if high else STEEL)


def _engine_poses(moves):
    return np.stack([np.arange(len(moves.index)) // 2 % 2, cycle(np.minimum(moves.since / 0.9, 0.99), 5)], 1)


def _draw_engine(canvas, pose, look):
    x, (jolt, puff) = canvas.x, pose
    y = canvas.y + 0.05 * jolt
    smoke = np.array([110, 105, 110])
    for n in range(3 if puff < 4 else 0):
        grown = puff * 0.05 + 0.05 * n
        canvas.paint(
            circle(x, canvas.y, 0.5 + 0.13 * n + 0.04 * puff, -0.85 - 0.06 * puff + 0.02 * n, 0.09 + grown), smoke, 0.8
        )
    canvas.paint(box(x, y, 0.5, -0.35, 0.06, 0.35), INK)
    canvas.paint(box(x, y, -0.35, -0.3, 0.42, 0.45, 0.08), look.main)
    canvas.paint(box(x, y, -0.33, -0.38, 0.28, 0.26, 0.04), np.array([200, 225, 235]))
    canvas.paint(box(x, y, 0.3, 0.15, 0.6, 0.28, 0.1), look.main)
    canvas.paint(box(x, y, -0.2, 0.3, 0.7, 0.15), look.dark)
    for n in range(3):
        canvas.paint(box(x, y, 0.55 + 0.12 * n, 0.12, 0.03, 0.16), look.dark)
    for cx, cy, radius in ((-0.42, 0.45, 0.5), (0.62, 0.62, 0.32)):
        canvas.paint(circle(x, canvas.y, cx, cy, radius), INK)
        canvas.paint(circle(x, canvas.y, cx, cy, 0.55 * radius), look.light)


def _car_poses(moves):
    return np.stack([moves.sounding * (1 + cycle(moves.since * 5, 2))], 1)


def _draw_car(canvas, pose, look):
    x, y, (honk,) = canvas.x, canvas.y, pose
    canvas.paint(polygon(x, y, (-0.55, -0.65), (0.55, -0.65), (0.75, -0.05), (-0.75, -0.05)), look.dark)
    canvas.paint(polygon(x, y, (-0.45, -0.57), (0.45, -0.57), (0.6, -0.1), (-0.6, -0.1)), np.array([190, 215, 230]))
    for sign in (-1, 1):
        canvas.paint(box(x, y, sign * 0.65, 0.68, 0.17, 0.22, 0.06), INK)
    canvas.paint(box(x, y, 0, 0.27, 0.95, 0.38, 0.2), look.main)
    canvas.paint(box(x, y, 0, 0.3, 0.3, 0.13, 0.05), INK)
    canvas.paint(box(x, y, 0, 0.58, 0.95, 0.08, 0.05), STEEL)
    for sign in (-1, 1):
        if honk:
            canvas.paint(circle(x, y, sign * 0.62, 0.2, 0.3 + 0.06 * honk), GLOW, 0.6)
        canvas.paint(circle(x, y, sign * 0.62, 0.2, 0.19), GLOW if honk else look.light)
    if honk:
        for sign in (-1, 1):
            arc = ring(circle(x, y, sign * 0.75, -0.2, 0.3 + 0.12 * honk), 0.035)
            canvas.paint(np.maximum(arc, np.maximum(0.85 - sign * x, y + 0.15)), INK)


def _ball_poses(moves):
    height = 4 * moves.share * (1 - moves.share)
    return np.stack([np.rint(height * 10), fade(moves, 0.12, 3)], 1)


def _draw_ball(canvas, pose, look):
    x, y, (height, hit) = canvas.x, canvas.y, pose
    flat = 1.0 - 0.14 * hit
    cy = 0.95 - 0.55 * flat - 0.095 * height
    canvas.paint(ellipse(x, y, 0, 1.0, 0.75 - 0.03 * height, 0.1), INK, 0.5)
    for n in range(hit):
        canvas.paint(ring(ellipse(x, y, 0, 1.0, 0.8 + 0.14 * n, 0.13 + 0.05 * n), 0.03), GLOW)
    body = ellipse(x, y, 0, cy, 0.55 / flat**0.5, 0.55 * flat)
    canvas.paint(body, look.main)
    canvas.paint(ellipse(x, y, -0.17, cy - 0.2, 0.2, 0.15), look.light, 0.7)
    for seam in (
        stroke(x, y, (-1, cy), (1, cy), 0.025),
        stroke(x, y, (0, cy - 1), (0, cy + 1), 0.025),
        ring(circle(x, y, -0.65, cy, 0.42), 0.025),
        ring(circle(x, y, 0.65, cy, 0.42), 0.025),
    ):
        canvas.paint(np.maximum(seam, body), INK)


STREET_SCENES = {
    "bark": Scene(46.0, _dog_poses, _draw_dog),
    "siren": Scene(225.0, _siren_poses, _draw_siren),
    "engine": Scene(120.0, _engine_poses, _draw_engine),
    "car_horn": Scene(300.0, _car_poses, _draw_car),
    "ball": Scene(14.0, _ball_poses, _draw_ball),
}
