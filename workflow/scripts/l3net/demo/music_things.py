"""Musical things of the demo's world: what each sounds like, looks like, and how it moves with its sound.

A thing's voice, the poses it takes and the drawing of a pose stand beside each other, then the thing itself. A pose is
a few small integers for each frame, made from the `Moves` of the score that is heard; distinct poses are few, so that
each is drawn once.
"""

import numpy as np

from l3net.demo.motion import cycle, fade
from l3net.demo.picture import GLOW, INK, IVORY, STEEL, box, circle, ellipse, polygon, ring, stroke
from l3net.demo.sound_parts import PARTIALS, Rhythm, decay, hold, noise, tone
from l3net.demo.things import Label, Look, Thing

_MUSIC, _INSTRUMENT = "/m/04rlf", "/m/04szw"
_MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)  # semitones


def _piano_voice(n, pitch, rate, timbre, rng):
    bright = tone(pitch, n, rate, PARTIALS**-0.9) * decay(n, rate, 0.08)
    return 0.5 * bright + tone(pitch, n, rate, PARTIALS ** -(1.6 + timbre)) * decay(n, rate, 0.25 + 0.3 * timbre)


def _piano_poses(moves):
    key = np.where(moves.index >= 0, np.rint(moves.height * 7).astype(int), 0)
    return np.stack([key, fade(moves, 0.3, 3)], 1)


def _draw_piano(canvas, pose, shades):
    x, y, (key, press) = canvas.x, canvas.y, pose
    canvas.paint(box(x, y, 0, -0.25, 1.0, 0.6, 0.08), shades.main)
    canvas.paint(box(x, y, 0, -0.35, 0.8, 0.32, 0.05), shades.dark)
    canvas.paint(box(x, y, 0, 0.62, 0.92, 0.33, 0.05), shades.dark)
    for n in range(8):
        pressed = n == key and press > 0
        canvas.paint(box(x, y, (n - 3.5) * 0.23, 0.5 + 0.05 * press * pressed, 0.1, 0.28), GLOW if pressed else IVORY)
    for n in (0, 1, 3, 4, 5):
        canvas.paint(box(x, y, (n - 3) * 0.23, 0.38, 0.055, 0.16), INK)
    if press:
        cx, cy = (key - 3.5) * 0.19 - 0.06, -0.3 - 0.12 * (2 - press)
        canvas.paint(ellipse(x, y, cx, cy, 0.13, 0.1), GLOW)
        canvas.paint(stroke(x, y, (cx + 0.11, cy), (cx + 0.11, cy - 0.4), 0.03), GLOW)


PIANO = Thing(
    "piano",
    voice=_piano_voice,
    rhythm=Rhythm((2.0, 4.0), (1.5, 2.5), (262, 523), _MAJOR),
    look=Look(215.0, _piano_poses, _draw_piano),
    label=Label("Piano", "/m/05r5c", "music", broader=(_MUSIC, _INSTRUMENT)),
)


def _trumpet_voice(n, pitch, rate, timbre, rng):
    t = np.arange(n) / rate
    vibrato = pitch * (1.0 + 0.008 * np.sin(2 * np.pi * 5.5 * t) - 0.05 * np.exp(-t / 0.02))
    formant = np.exp(-(((PARTIALS * pitch - 1200 - 800 * timbre) / 1200) ** 2)) + 0.15 / PARTIALS
    return tone(vibrato, n, rate, formant) * hold(n, rate, 0.04, 0.05)


def _trumpet_poses(moves):
    return np.stack([np.where(moves.sounding, 1 + cycle(moves.since * 4, 3), 0), np.rint(moves.height * 2)], 1)


def _draw_trumpet(canvas, pose, shades):
    x, y, (blow, valve) = canvas.x, canvas.y, pose
    canvas.paint(stroke(x, y, (-1.0, -0.05), (0.35, -0.05), 0.07), shades.main)
    canvas.paint(ring(box(x, y, -0.2, 0.16, 0.42, 0.24, 0.2), 0.06), shades.dark)
    canvas.paint(polygon(x, y, (0.2, -0.12), (0.62, -0.5), (0.62, 0.4), (0.2, 0.02)), shades.main)
    canvas.paint(ellipse(x, y, 0.62, -0.05, 0.12 + 0.03 * (blow > 0), 0.47 + 0.05 * (blow > 0)), shades.light)
    canvas.paint(ellipse(x, y, 0.63, -0.05, 0.06, 0.36), shades.dark)
    for n in range(3):
        down = 0.14 * (blow > 0 and n <= valve)
        canvas.paint(box(x, y, -0.4 + 0.2 * n, 0.05, 0.07, 0.24, 0.03), shades.light)
        canvas.paint(stroke(x, y, (-0.4 + 0.2 * n, -0.42 + down), (-0.4 + 0.2 * n, -0.2), 0.045), STEEL)
    for n in range(blow):
        arc = ring(circle(x, y, 0.5, -0.05, 0.45 + 0.17 * n), 0.03)
        canvas.paint(np.maximum(arc, np.abs(y + 0.05) - (x - 0.45)), GLOW)


TRUMPET = Thing(
    "trumpet",
    voice=_trumpet_voice,
    rhythm=Rhythm((1.5, 3.0), (0.75, 0.95), (330, 523), _MAJOR[:5]),
    look=Look(48.0, _trumpet_poses, _draw_trumpet),
    label=Label("Trumpet", "/m/07gql", "music", broader=(_MUSIC, _INSTRUMENT)),
)


def _drum_voice(n, pitch, rate, timbre, rng):
    rattle = noise(n, rate, 900, 5000 + 3000 * timbre, rng) * decay(n, rate, 0.06 + 0.05 * timbre)
    return 1.6 * rattle + 0.6 * tone(pitch, n, rate, np.ones(2)) * decay(n, rate, 0.05)


def _drum_poses(moves):
    return np.stack([moves.index % 2, fade(moves, 0.2, 4)], 1)


def _draw_drum(canvas, pose, shades):
    x, y, (side, hit) = canvas.x, canvas.y, pose
    canvas.paint(np.minimum(box(x, y, 0, 0.35, 0.8, 0.35), ellipse(x, y, 0, 0.7, 0.8, 0.25)), shades.main)
    for n in range(-3, 4):
        canvas.paint(stroke(x, y, (n * 0.25, 0.15), (n * 0.25 + 0.12, 0.8), 0.025), shades.light)
    canvas.paint(ellipse(x, y, 0, 0, 0.84, 0.3), shades.dark)
    canvas.paint(ellipse(x, y, 0, -0.02, 0.76, 0.25), GLOW if hit == 3 else IVORY)
    if hit:
        canvas.paint(ring(ellipse(x, y, 0, -0.02, 0.15 + 0.17 * (3 - hit), 0.05 + 0.06 * (3 - hit)), 0.02), shades.main)
    for n, sign in enumerate((-1, 1)):
        lift = 0.0 if (n == side and hit) else 0.5
        tip = (sign * 0.15, -0.06 - lift)
        canvas.paint(stroke(x, y, tip, (sign * 0.95, -0.45 - 0.9 * lift), 0.045), np.array([190, 150, 100]))
        canvas.paint(circle(x, y, *tip, 0.09), np.array([225, 190, 140]))


SNARE_DRUM = Thing(
    "snare_drum",
    voice=_drum_voice,
    rhythm=Rhythm((2.5, 5.0), (1.0, 1.0), (170, 240), swing=0.3),
    look=Look(0.0, _drum_poses, _draw_drum),
    label=Label("Snare drum", "/m/06rvn", "music", broader=(_MUSIC,)),
)


def _accordion_voice(n, pitch, rate, timbre, rng):
    reeds = [1.0, 1.007, 1.26, 1.265, 1.498] if timbre > 0.5 else [1.0, 1.005, 1.189, 1.2, 1.498]
    chord = sum(tone(pitch * ratio, n, rate, PARTIALS**-0.8) for ratio in reeds)
    return chord / 3 * hold(n, rate, 0.06, 0.08)


def _accordion_poses(moves):
    swell = 0.5 - 0.5 * np.cos(np.pi * (moves.index % 2 + moves.share))
    return np.stack([np.rint(swell * 7), moves.sounding * (1 + cycle(moves.since * 4, 2))], 1)


def _draw_accordion(canvas, pose, shades):
    x, y, (stretch, play) = canvas.x, canvas.y, pose
    half = 0.2 + 0.055 * stretch
    for n in range(9):
        cx = (n / 4 - 1) * half
        canvas.paint(box(x, y, cx, 0.05, half / 7, 0.55), shades.light if n % 2 else INK)
    for sign in (-1, 1):
        canvas.paint(box(x, y, sign * (half + 0.2), 0.05, 0.22, 0.72, 0.1), shades.main)
        canvas.paint(box(x, y, sign * (half + 0.3), 0.05, 0.06, 0.58, 0.03), IVORY if sign > 0 else shades.dark)
    for n in range(5):
        dot = circle(x, y, -half - 0.16, -0.42 + 0.23 * n, 0.055)
        canvas.paint(dot, GLOW if play and n % 2 == play - 1 else shades.light)


ACCORDION = Thing(
    "accordion",
    voice=_accordion_voice,
    rhythm=Rhythm((1.0, 2.0), (0.85, 0.95), (110, 196), (0, 5, 7)),
    look=Look(295.0, _accordion_poses, _draw_accordion),
    label=Label("Accordion", "/m/0mkg", "music", broader=(_MUSIC, _INSTRUMENT)),
)


# Ratio to the strike note, loudness, relative time to fade.
_BELL_PARTIALS = np.array(
    [
        (0.5, 0.6, 1.7),
        (1, 1, 1),
        (1.19, 0.7, 0.83),
        (1.5, 0.3, 0.67),
        (2, 0.8, 0.5),
        (2.66, 0.4, 0.33),
        (4.1, 0.3, 0.17),
    ]
)


def _bell_voice(n, pitch, rate, timbre, rng):
    fades = (0.6 + 0.6 * timbre) * _BELL_PARTIALS[:, 2]
    return 0.5 * sum(
        loud * tone(pitch * ratio, n, rate, np.ones(1)) * decay(n, rate, fade)
        for (ratio, loud, _), fade in zip(_BELL_PARTIALS, fades, strict=True)
    )


def _bell_poses(moves):
    swing = np.cos(np.pi * (moves.index % 2 + moves.share))
    return np.stack([np.rint(swing * 4), fade(moves, 0.35, 3)], 1)


def _draw_bell(canvas, pose, shades):
    (swing, struck), angle = pose, 0.1 * pose[0]
    x = canvas.x * np.cos(angle) + (canvas.y + 0.8) * np.sin(angle)
    y = -canvas.x * np.sin(angle) + (canvas.y + 0.8) * np.cos(angle) - 0.8
    canvas.paint(box(canvas.x, canvas.y, 0, -0.95, 1.0, 0.1), np.array([120, 95, 75]))
    canvas.paint(stroke(x, y, (0, -0.9), (0, -0.6), 0.08), STEEL)
    canvas.paint(circle(x, y, -0.28 * np.sign(swing), 0.72, 0.16), GLOW if struck else INK)
    canvas.paint(np.maximum(ellipse(x, y, 0, 0.1, 0.5, 0.8), y - 0.1), shades.main)
    canvas.paint(polygon(x, y, (-0.5, 0.08), (0.5, 0.08), (0.82, 0.6), (-0.82, 0.6)), shades.main)
    canvas.paint(box(x, y, 0, 0.58, 0.86, 0.09, 0.08), shades.dark)
    canvas.paint(stroke(x, y, (-0.25, -0.3), (-0.38, 0.35), 0.07), shades.light)
    for n in range(struck):
        arc = ring(circle(canvas.x, canvas.y, 0, -0.1, 0.95 + 0.17 * n), 0.03)
        canvas.paint(np.maximum(arc, 0.35 - np.abs(canvas.x)), GLOW)


CHURCH_BELL = Thing(
    "church_bell",
    voice=_bell_voice,
    rhythm=Rhythm((0.9, 1.5), (2.5, 3.0), (300, 600)),
    look=Look(155.0, _bell_poses, _draw_bell),
    label=Label("Church bell", "/m/03w41f", "music"),
)


MUSIC_THINGS = (PIANO, TRUMPET, SNARE_DRUM, ACCORDION, CHURCH_BELL)
