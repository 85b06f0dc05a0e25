"""Environmental things of the demo's world: what each sounds like, looks like, and how it moves with its sound.

A thing's voice, the poses it takes and the drawing of a pose stand beside each other, then the thing itself. A pose is
a few small integers for each frame, made from the `Moves` of the score that is heard; distinct poses are few, so that
each is drawn once.
"""

import numpy as np

from l3net.demo.motion import cycle, fade
from l3net.demo.picture import GLOW, INK, IVORY, STEEL, Canvas, box, circle, ellipse, polygon, ring, stroke
from l3net.demo.sound_parts import PARTIALS, Rhythm, decay, hold, noise, tone
from l3net.demo.things import Label, Look, Thing

_DOG, _ANIMAL, _VEHICLE = "/m/0bt9lr", "/m/0jbk", "/m/07yv9"


def _draw_waves(canvas: Canvas, cx: float, cy: float, pose: int, rgb: np.ndarray) -> None:
    """Draw arcs of sound that leave (cx, cy) to the upper right; pose 0 draws none."""
    for n in range(pose):
        arc = ring(circle(canvas.x, canvas.y, cx, cy, 0.18 + 0.16 * n), 0.035)
        canvas.paint(np.maximum(arc, np.maximum(cx - canvas.x, canvas.y - cy - 0.1)), rgb)


def _dog_voice(n, pitch, rate, timbre, rng):
    t = np.arange(n) / rate
    bend = pitch * (0.8 + 0.5 * np.exp(-(((t - 0.04) / 0.05) ** 2)))
    throat = np.exp(-(((PARTIALS * pitch - 900 - 600 * timbre) / 700) ** 2)) + 0.05
    voiced = tone(bend, n, rate, throat) * np.exp(-(((t - 0.06) / 0.045) ** 2))
    return voiced + 0.5 * noise(n, rate, 500, 2500, rng) * np.exp(-(((t - 0.05) / 0.03) ** 2))


def _dog_poses(moves):
    return np.stack([fade(moves, 0.28, 4), (moves.index % 2)], 1)


def _draw_dog(canvas, pose, shades):
    x, (bark, ears) = canvas.x, pose
    y = canvas.y + 0.05 * bark
    canvas.paint(ellipse(x, canvas.y, 0, 1.05, 0.75, 0.45), shades.dark)
    canvas.paint(ellipse(x, y, 0, 0, 0.72, 0.72), shades.main)
    for sign in (-1, 1):
        canvas.paint(ellipse(x, y, sign * (0.72 + 0.04 * bark), -0.12 - 0.12 * (bark > 0), 0.2, 0.5), shades.dark)
        canvas.paint(circle(x, y, sign * 0.28, -0.2, 0.13), IVORY)
        canvas.paint(circle(x, y, sign * 0.26, -0.18 + 0.03 * ears, 0.08), INK)
    canvas.paint(ellipse(x, y, 0, 0.32, 0.42, 0.34), shades.light)
    canvas.paint(ellipse(x, y, 0, 0.15, 0.15, 0.1), INK)
    canvas.paint(ellipse(x, y, 0, 0.44 + 0.05 * bark, 0.24, 0.03 + 0.09 * bark), np.array([130, 30, 40]))
    if bark:
        canvas.paint(ellipse(x, y, 0, 0.5 + 0.08 * bark, 0.14, 0.04 * bark), np.array([240, 120, 130]))
    _draw_waves(canvas, 0.55, 0.35, bark, IVORY)


BARKING_DOG = Thing(
    "bark",
    voice=_dog_voice,
    rhythm=Rhythm((1.5, 3.0), (0.6, 0.9), (300, 650), (0, 1), 0.4),
    look=Look(46.0, _dog_poses, _draw_dog),
    label=Label("Bark", "/m/05tny_", "environmental", broader=(_DOG, _ANIMAL)),
)


def _siren_voice(n, pitch, rate, timbre, rng):
    rise = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
    return tone(pitch * (1.0 + (0.8 + 0.4 * timbre) * rise), n, rate, np.array([1, 0.1, 0.4, 0.05, 0.2, 0.02, 0.1]))


def _siren_poses(moves):
    return np.stack([cycle(moves.share * 2, 10), (moves.share > 0.25) & (moves.share < 0.75)], 1)


def _draw_siren(canvas, pose, shades):
    x, y, (turn, high) = canvas.x, canvas.y, pose
    angle = 2 * np.pi * turn / 10
    along = x * np.cos(angle) + y * np.sin(angle)
    across = np.abs(y * np.cos(angle) - x * np.sin(angle))
    canvas.paint(np.maximum(across - 0.4 * np.abs(along), np.hypot(x, y) - 1.25), shades.light, 0.8)
    canvas.paint(np.minimum(np.maximum(circle(x, y, 0, 0, 0.62), y), box(x, y, 0, 0.25, 0.62, 0.3)), shades.main)
    canvas.paint(ellipse(x, y, 0.4 * np.cos(angle), 0.05, 0.08 + 0.2 * abs(np.sin(angle)), 0.3), GLOW)
    canvas.paint(stroke(x, y, (-0.35, -0.25), (-0.2, -0.42), 0.06), shades.light)
    canvas.paint(box(x, y, 0, 0.7, 0.85, 0.2, 0.08), INK)
    canvas.paint(box(x, y, 0, 0.64, 0.7, 0.05), shades.light if high else STEEL)


SIREN = Thing(
    "siren",
    voice=_siren_voice,
    rhythm=Rhythm((0.6, 1.5), (1.0, 1.0), (500, 750)),
    look=Look(225.0, _siren_poses, _draw_siren),
    label=Label("Police car (siren)", "/m/04qvtq", "environmental", broader=(_VEHICLE,)),
)


def _engine_voice(n, pitch, rate, timbre, rng):
    rev = np.exp(-np.arange(n) / rate / 0.4)
    fire = tone(pitch * (1.0 + 0.5 * rev), n, rate, np.exp(-PARTIALS / (8 + 8 * timbre)))
    return fire * (0.7 + 0.5 * rev) + 0.12 * noise(n, rate, 60, 500, rng)


def _engine_poses(moves):
    return np.stack([np.arange(len(moves.index)) // 2 % 2, cycle(np.minimum(moves.since / 0.9, 0.99), 5)], 1)


def _draw_engine(canvas, pose, shades):
    x, (jolt, puff) = canvas.x, pose
    y = canvas.y + 0.05 * jolt
    smoke = np.array([110, 105, 110])
    for n in range(3 if puff < 4 else 0):
        grown = puff * 0.05 + 0.05 * n
        canvas.paint(
            circle(x, canvas.y, 0.5 + 0.13 * n + 0.04 * puff, -0.85 - 0.06 * puff + 0.02 * n, 0.09 + grown), smoke, 0.8
        )
    canvas.paint(box(x, y, 0.5, -0.35, 0.06, 0.35), INK)
    canvas.paint(box(x, y, -0.35, -0.3, 0.42, 0.45, 0.08), shades.main)
    canvas.paint(box(x, y, -0.33, -0.38, 0.28, 0.26, 0.04), np.array([200, 225, 235]))
    canvas.paint(box(x, y, 0.3, 0.15, 0.6, 0.28, 0.1), shades.main)
    canvas.paint(box(x, y, -0.2, 0.3, 0.7, 0.15), shades.dark)
    for n in range(3):
        canvas.paint(box(x, y, 0.55 + 0.12 * n, 0.12, 0.03, 0.16), shades.dark)
    for cx, cy, radius in ((-0.42, 0.45, 0.5), (0.62, 0.62, 0.32)):
        canvas.paint(circle(x, canvas.y, cx, cy, radius), INK)
        canvas.paint(circle(x, canvas.y, cx, cy, 0.55 * radius), shades.light)


ENGINE = Thing(
    "engine",
    voice=_engine_voice,
    rhythm=Rhythm((0.7, 1.2), (1.0, 1.0), (22, 45)),
    look=Look(120.0, _engine_poses, _draw_engine),
    label=Label("Engine", "/m/02mk9", "environmental", broader=(_VEHICLE,)),
)


def _car_voice(n, pitch, rate, timbre, rng):
    return (
        sum(tone(pitch * r, n, rate, PARTIALS**-0.5) for r in (1.0, 1.2 + 0.08 * timbre))
        / 2
        * hold(n, rate, 0.01, 0.03)
    )


def _car_poses(moves):
    return np.stack([moves.sounding * (1 + cycle(moves.since * 5, 2))], 1)


def _draw_car(canvas, pose, shades):
    x, y, (honk,) = canvas.x, canvas.y, pose
    canvas.paint(polygon(x, y, (-0.55, -0.65), (0.55, -0.65), (0.75, -0.05), (-0.75, -0.05)), shades.dark)
    canvas.paint(polygon(x, y, (-0.45, -0.57), (0.45, -0.57), (0.6, -0.1), (-0.6, -0.1)), np.array([190, 215, 230]))
    for sign in (-1, 1):
        canvas.paint(box(x, y, sign * 0.65, 0.68, 0.17, 0.22, 0.06), INK)
    canvas.paint(box(x, y, 0, 0.27, 0.95, 0.38, 0.2), shades.main)
    canvas.paint(box(x, y, 0, 0.3, 0.3, 0.13, 0.05), INK)
    canvas.paint(box(x, y, 0, 0.58, 0.95, 0.08, 0.05), STEEL)
    for sign in (-1, 1):
        if honk:
            canvas.paint(circle(x, y, sign * 0.62, 0.2, 0.3 + 0.06 * honk), GLOW, 0.6)
        canvas.paint(circle(x, y, sign * 0.62, 0.2, 0.19), GLOW if honk else shades.light)
    if honk:
        for sign in (-1, 1):
            arc = ring(circle(x, y, sign * 0.75, -0.2, 0.3 + 0.12 * honk), 0.035)
            canvas.paint(np.maximum(arc, np.maximum(0.85 - sign * x, y + 0.15)), INK)


CAR_HORN = Thing(
    "car_horn",
    voice=_car_voice,
    rhythm=Rhythm((1.2, 2.2), (0.5, 0.8), (350, 450)),
    look=Look(300.0, _car_poses, _draw_car),
    label=Label("Vehicle horn, car horn, honking", "/m/0912c9", "environmental", broader=(_VEHICLE,)),
)


def _ball_voice(n, pitch, rate, timbre, rng):
    t = np.arange(n) / rate
    thump = tone(pitch * (0.6 + 0.6 * np.exp(-t / 0.03)), n, rate, np.array([1.0, 0.3])) * decay(n, rate, 0.07)
    ping = tone(pitch * (6.5 + timbre), n, rate, np.array([1.0, 0.4])) * decay(n, rate, 0.05)
    return thump + 0.25 * ping + 0.4 * noise(n, rate, 200, 1500, rng) * decay(n, rate, 0.008, 0.001)


def _ball_poses(moves):
    height = 4 * moves.share * (1 - moves.share)
    return np.stack([np.rint(height * 10), fade(moves, 0.12, 3)], 1)


def _draw_ball(canvas, pose, shades):
    x, y, (height, hit) = canvas.x, canvas.y, pose
    flat = 1.0 - 0.14 * hit
    cy = 0.95 - 0.55 * flat - 0.095 * height
    canvas.paint(ellipse(x, y, 0, 1.0, 0.75 - 0.03 * height, 0.1), INK, 0.5)
    for n in range(hit):
        canvas.paint(ring(ellipse(x, y, 0, 1.0, 0.8 + 0.14 * n, 0.13 + 0.05 * n), 0.03), GLOW)
    body = ellipse(x, y, 0, cy, 0.55 / flat**0.5, 0.55 * flat)
    canvas.paint(body, shades.main)
    canvas.paint(ellipse(x, y, -0.17, cy - 0.2, 0.2, 0.15), shades.light, 0.7)
    for seam in (
        stroke(x, y, (-1, cy), (1, cy), 0.025),
        stroke(x, y, (0, cy - 1), (0, cy + 1), 0.025),
        ring(circle(x, y, -0.65, cy, 0.42), 0.025),
        ring(circle(x, y, 0.65, cy, 0.42), 0.025),
    ):
        canvas.paint(np.maximum(seam, body), INK)


BALL = Thing(
    "ball",
    voice=_ball_voice,
    rhythm=Rhythm((1.4, 2.6), (0.6, 0.6), (130, 190)),
    look=Look(14.0, _ball_poses, _draw_ball),
    label=Label("Basketball bounce", "/m/018w8", "environmental"),
)


STREET_THINGS = (BARKING_DOG, SIREN, ENGINE, CAR_HORN, BALL)
