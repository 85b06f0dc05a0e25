"""Musical objects of the demo's synthetic world: what each source looks like, and how it moves with its sound.

An object has a hue, a function from the `Moves` of a score to a pose of small integers for each frame (few distinct
ones, so that each is drawn once), and a function that draws a pose.
"""

import numpy as np

from l3net.demo.motion import Scene, cycle, fade
from l3net.demo.picture import GLOW, INK, IVORY, STEEL, box, circle, ellipse, polygon, ring, stroke


def _piano_poses(moves):
    key = np.where(moves.index >= 0, np.rint(moves.height * 7).astype(int), 0)
    return np.stack([key, fade(moves, 0.3, 3)], 1)


def _draw_piano(canvas, pose, look):
    x, y, (key, press) = canvas.x, canvas.y, pose
    canvas.paint(box(x, y, 0, -0.25, 1.0, 0.6, 0.08), look.main)
    canvas.paint(box(x, y, 0, -0.35, 0.8, 0.32, 0.05), look.dark)
    canvas.paint(box(x, y, 0, 0.62, 0.92, 0.33, 0.05), look.dark)
    for n in range(8):
        pressed = n == key and press > 0
        canvas.paint(box(x, y, (n - 3.5) * 0.23, 0.5 + 0.05 * press * pressed, 0.1, 0.28), GLOW if pressed else IVORY)
    for n in (0, 1, 3, 4, 5):
        canvas.paint(box(x, y, (n - 3) * 0.23, 0.38, 0.055, 0.16), INK)
    if press:
        cx, cy = (key - 3.5) * 0.19 - 0.06, -0.3 - 0.12 * (2 - press)
        canvas.paint(ellipse(x, y, cx, cy, 0.13, 0.1), GLOW)
        canvas.paint(stroke(x, y, (cx + 0.11, cy), (cx + 0.11, cy - 0.4), 0.03), GLOW)


def _trumpet_poses(moves):
    return np.stack([np.where(moves.sounding, 1 + cycle(moves.since * 4, 3), 0), np.rint(moves.height * 2)], 1)


def _draw_trumpet(canvas, pose, look):
    x, y, (blow, valve) = canvas.x, canvas.y, pose
    canvas.paint(stroke(x, y, (-1.0, -0.05), (0.35, -0.05), 0.07), look.main)
    canvas.paint(ring(box(x, y, -0.2, 0.16, 0.42, 0.24, 0.2), 0.06), look.dark)
    canvas.paint(polygon(x, y, (0.2, -0.12), (0.62, -0.5), (0.62, 0.4), (0.2, 0.02)), look.main)
    canvas.paint(ellipse(x, y, 0.62, -0.05, 0.12 + 0.03 * (blow > 0), 0.47 + 0.05 * (blow > 0)), look.light)
    canvas.paint(ellipse(x, y, 0.63, -0.05, 0.06, 0.36), look.dark)
    for n in range(3):
        down = 0.14 * (blow > 0 and n <= valve)
        canvas.paint(box(x, y, -0.4 + 0.2 * n, 0.05, 0.07, 0.24, 0.03), look.light)
        canvas.paint(stroke(x, y, (-0.4 + 0.2 * n, -0.42 + down), (-0.4 + 0.2 * n, -0.2), 0.045), STEEL)
    for n in range(blow):
        arc = ring(circle(x, y, 0.5, -0.05, 0.45 + 0.17 * n), 0.03)
        canvas.paint(np.maximum(arc, np.abs(y + 0.05) - (x - 0.45)), GLOW)


def _drum_poses(moves):
    return np.stack([moves.index % 2, fade(moves, 0.2, 4)], 1)


def _draw_drum(canvas, pose, look):
    x, y, (side, hit) = canvas.x, canvas.y, pose
    canvas.paint(np.minimum(box(x, y, 0, 0.35, 0.8, 0.35), ellipse(x, y, 0, 0.7, 0.8, 0.25)), look.main)
    for n in range(-3, 4):
        canvas.paint(stroke(x, y, (n * 0.25, 0.15), (n * 0.25 + 0.12, 0.8), 0.025), look.light)
    canvas.paint(ellipse(x, y, 0, 0, 0.84, 0.3), look.dark)
    canvas.paint(ellipse(x, y, 0, -0.02, 0.76, 0.25), GLOW if hit == 3 else IVORY)
    if hit:
        canvas.paint(ring(ellipse(x, y, 0, -0.02, 0.15 + 0.17 * (3 - hit), 0.05 + 0.06 * (3 - hit)), 0.02), look.main)
    for n, sign in enumerate((-1, 1)):
        lift = 0.0 if (n == side and hit) else 0.5
        tip = (sign * 0.15, -0.06 - lift)
        canvas.paint(stroke(x, y, tip, (sign * 0.95, -0.45 - 0.9 * lift), 0.045), np.array([190, 150, 100]))
        canvas.paint(circle(x, y, *tip, 0.09), np.array([225, 190, 140]))


def _accordion_poses(moves):
    swell = 0.5 - 0.5 * np.cos(np.pi * (moves.index % 2 + moves.share))
    return np.stack([np.rint(swell * 7), moves.sounding * (1 + cycle(moves.since * 4, 2))], 1)


def _draw_accordion(canvas, pose, look):
    x, y, (stretch, play) = canvas.x, canvas.y, pose
    half = 0.2 + 0.055 * stretch
    for n in range(9):
        cx = (n / 4 - 1) * half
        canvas.paint(box(x, y, cx, 0.05, half / 7, 0.55), look.light if n % 2 else INK)
    for sign in (-1, 1):
        canvas.paint(box(x, y, sign * (half + 0.2), 0.05, 0.22, 0.72, 0.1), look.main)
        canvas.paint(box(x, y, sign * (half + 0.3), 0.05, 0.06, 0.58, 0.03), IVORY if sign > 0 else look.dark)
    for n in range(5):
        dot = circle(x, y, -half - 0.16, -0.42 + 0.23 * n, 0.055)
        canvas.paint(dot, GLOW if play and n % 2 == play - 1 else look.light)


def _bell_poses(moves):
    swing = np.cos(np.pi * (moves.index % 2 + moves.share))
    return np.stack([np.rint(swing * 4), fade(moves, 0.35, 3)], 1)


def _draw_bell(canvas, pose, look):
    (swing, struck), angle = pose, 0.1 * pose[0]
    x = canvas.x * np.cos(angle) + (canvas.y + 0.8) * np.sin(angle)
    y = -canvas.x * np.sin(angle) + (canvas.y + 0.8) * np.cos(angle) - 0.8
    canvas.paint(box(canvas.x, canvas.y, 0, -0.95, 1.0, 0.1), np.array([120, 95, 75]))
    canvas.paint(stroke(x, y, (0, -0.9), (0, -0.6), 0.08), STEEL)
    canvas.paint(circle(x, y, -0.28 * np.sign(swing), 0.72, 0.16), GLOW if struck else INK)
    canvas.paint(np.maximum(ellipse(x, y, 0, 0.1, 0.5, 0.8), y - 0.1), look.main)
    canvas.paint(polygon(x, y, (-0.5, 0.08), (0.5, 0.08), (0.82, 0.6), (-0.82, 0.6)), look.main)
    canvas.paint(box(x, y, 0, 0.58, 0.86, 0.09, 0.08), look.dark)
    canvas.paint(stroke(x, y, (-0.25, -0.3), (-0.38, 0.35), 0.07), look.light)
    for n in range(struck):
        arc = ring(circle(canvas.x, canvas.y, 0, -0.1, 0.95 + 0.17 * n), 0.03)
        canvas.paint(np.maximum(arc, 0.35 - np.abs(canvas.x)), GLOW)


MUSIC_SCENES = {
    "piano": Scene(215.0, _piano_poses, _draw_piano),
    "trumpet": Scene(48.0, _trumpet_poses, _draw_trumpet),
    "snare_drum": Scene(0.0, _drum_poses, _draw_drum),
    "accordion": Scene(295.0, _accordion_poses, _draw_accordion),
    "church_bell": Scene(155.0, _bell_poses, _draw_bell),
}
