"""Clips of the demo's world: ten kinds of things that are seen and heard, under AudioSet's labels, and their videos.

Everything here is synthetic. A video is a pure function of the seed and its id; its picture and its sound follow one
score, so that onsets are seen when they are heard. Ids are drawn so that each kind falls evenly into the parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from l3net.audioset import part_of
from l3net.demo import sound_parts
from l3net.demo.catalogue import SHOWN_THINGS
from l3net.demo.motion import follow, shake
from l3net.demo.picture import Canvas, Shades, background, colour
from l3net.demo.things import Thing, draw_sound, perform
from l3net.media import write_video

_SPEECH_MID = "/m/09x0r"
# What goes wrong on a video site, each as a share of clips_per_class.
FAULTS = {"missing": 0.2, "truncated": 0.1, "short": 0.1, "tiny": 0.04, "silent": 0.1, "no_sound": 0.06}
_SHORT_SECONDS = {"short": 3.0, "tiny": 0.6}
_ALPHABET = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
_SIZES = ((160, 120), (160, 120), (160, 120), (176, 144), (192, 144), (120, 160), (144, 176), (224, 126))
_FRAME_RATES = (Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))
_SAMPLE_RATES = (22_050, 44_100, 48_000)
_SHAKE = 4  # pixels
_SCENE_SECONDS = 1.5  # of a scene at least, on average


@dataclass(frozen=True)
class DemoClip:
    """A segment row and the video behind it: what is seen and heard, what else is heard, and what is wrong with it."""

    ytid: str
    thing: Thing
    start_seconds: float
    end_seconds: float
    video_seconds: float
    mids: tuple[str, ...]
    other: Thing | None = None
    fault: str | None = None
    scenes: tuple[Thing, ...] = ()  # what is shown one after the other, from the second scene on

    def row(self) -> str:
        """Return the clip as a line of AudioSet's segment lists."""
        return f'{self.ytid}, {self.start_seconds:.3f}, {self.end_seconds:.3f}, "{",".join(sorted(self.mids))}"'


def draw_clips(
    clips_per_class: int, duration_seconds: float, *, seed: int, parts: int = 10, scenes: int = 1
) -> list[DemoClip]:
    """Draw `clips_per_class` faultless clips of each thing, and some faulty ones; return them sorted by id.

    With several `scenes`, a clip cuts from its thing to others of the same subset, each with its picture and sound.
    """
    rng = sound_parts.generator(seed, "clips")
    clips = [
        _draw_clip(thing, duration_seconds, rng, part=(n * 7 + 3) % parts, parts=parts)
        for thing in SHOWN_THINGS
        for n in range(clips_per_class)
    ]
    for fault, share in FAULTS.items():
        for _ in range(max(1, round(share * clips_per_class))):
            thing = SHOWN_THINGS[rng.integers(len(SHOWN_THINGS))]
            clips.append(_draw_clip(thing, duration_seconds, rng, part=rng.integers(parts), parts=parts, fault=fault))
    if scenes > 1:
        clips = [_with_scenes(clip, scenes, seed) for clip in clips]
    return sorted(clips, key=lambda clip: (clip.ytid, clip.start_seconds))


def _with_scenes(clip, n, seed):
    """Return the clip with further scenes and their labels, unless it is too short to be cut."""
    if clip.video_seconds < n * _SCENE_SECONDS:
        return clip
    rng = sound_parts.generator(seed, "scenes", clip.ytid)
    others = [one for one in SHOWN_THINGS if one.label.subset == clip.thing.label.subset and one is not clip.thing]
    scenes = tuple(others[number] for number in rng.permutation(len(others))[: n - 1])
    mids = tuple({**dict.fromkeys(clip.mids), **dict.fromkeys(one.label.mid for one in scenes)})
    return replace(clip, scenes=scenes, mids=mids)


def _draw_clip(thing, duration, rng, *, part, parts, fault=None):
    spare = round(rng.uniform(0.0, 3.0), 2)
    start = float(rng.choice([0.0, np.floor(spare), np.floor(2 * spare) / 2]))
    mids, other = {thing.label.mid}, None
    mids.update(mid for mid in thing.label.broader if rng.random() < 0.4)
    if rng.random() < 0.08:
        mids.add(_SPEECH_MID)  # AudioSet's labels hold what is not there, too
    if rng.random() < 0.05:
        other = rng.choice([shown for shown in SHOWN_THINGS if shown.label.subset != thing.label.subset])
        mids.add(other.label.mid)
    seconds = _SHORT_SECONDS.get(fault, duration + spare)
    start = 0.0 if fault in _SHORT_SECONDS else start
    return DemoClip(_draw_id(rng, part, parts), thing, start, start + duration, seconds, tuple(mids), other, fault)


def _draw_id(rng, part, parts):
    while True:
        ytid = "".join(_ALPHABET[rng.integers(0, 64, 11)])
        if part_of(ytid, parts) == part:
            return ytid


def make_video(clip: DemoClip, folder: Path, *, seed: int) -> None:
    """Write the video of a clip as ``{folder}/{ytid}.mp4``; nothing for a clip that is missing."""
    if clip.fault == "missing":
        return
    path, rng = folder / f"{clip.ytid}.mp4", sound_parts.generator(seed, "video", clip.ytid)
    frame_rate, sample_rate = _FRAME_RATES[rng.integers(4)], int(rng.choice(_SAMPLE_RATES))
    if clip.scenes:
        frames, sound = _cut_scenes(clip, frame_rate, sample_rate, rng)
    else:
        frames, sound = _draw_scene(clip, frame_rate, sample_rate, rng)
    if clip.fault == "no_sound":
        sound = None
    elif clip.fault == "silent":
        sound = sound * np.float32(0)
    write_video(path, frames, frame_rate=frame_rate, sound=sound, sample_rate=sample_rate)
    if clip.fault == "truncated":
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size // 3)


def _draw_scene(clip, frame_rate, sample_rate, rng, size=None):
    """Return the frames and the sound of a clip of one thing, or of one scene."""
    score = sound_parts.draw_score(clip.thing.rhythm, clip.video_seconds, rng)
    # A video without sound draws none, so what is drawn of its picture depends on it.
    sound = None if clip.fault == "no_sound" else draw_soundtrack(clip, score, sample_rate, rng)
    n = round(clip.video_seconds * frame_rate)
    return draw_frames(clip.thing, score, n, frame_rate, rng, size), sound


def _cut_scenes(clip, frame_rate, sample_rate, rng):
    """Return the frames and the sound of a clip of several scenes; picture and sound are cut at the same frames."""
    things = (clip.thing, *clip.scenes)
    n_frames, size = round(clip.video_seconds * frame_rate), _SIZES[rng.integers(len(_SIZES))]
    cuts = (np.arange(1, len(things)) + rng.uniform(-0.2, 0.2, len(clip.scenes))) / len(things) * n_frames
    bounds = [0, *np.rint(cuts).astype(int).tolist(), n_frames]
    pictures, sounds = [], []
    for thing, first, last in zip(things, bounds[:-1], bounds[1:], strict=True):
        scene = replace(clip, thing=thing, video_seconds=float((last - first) / frame_rate), other=None)
        frames, sound = _draw_scene(scene, frame_rate, sample_rate, rng, size)
        pictures.append(frames)
        if sound is not None:
            start, end = (round(bound / frame_rate * sample_rate) for bound in (first, last))
            sounds.append(np.resize(np.append(sound[0], [0.0] * 2), end - start).astype(np.float32))
    return chain.from_iterable(pictures), np.concatenate(sounds)[None] if sounds else None


def draw_soundtrack(clip: DemoClip, score: list[sound_parts.Event], rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return the sound of a clip [shape=(channels, n)]: its score performed in a room, with noise under it."""
    wave = perform(clip.thing, score, clip.video_seconds, rate, rng.random(), rng)
    wave = sound_parts.level(wave, 1.0)
    if clip.other is not None:
        wave += 0.25 * sound_parts.level(draw_sound(clip.other, clip.video_seconds, rate, rng), 1.0)
    if rng.random() < 0.5:
        wave = sound_parts.reverberate(wave, rate, rng.uniform(0.05, 0.3), rng.uniform(0.1, 0.4), rng)
    wave = sound_parts.level(wave, 1.0) + sound_parts.noise(wave.size, rate, 30, 2000, rng) * rng.uniform(0.005, 0.06)
    wave = sound_parts.level(wave, rng.uniform(0.2, 0.9))
    return np.stack([wave, 0.8 * wave]) if rng.random() < 0.2 else wave[None]


def draw_frames(
    thing: Thing,
    score: list[sound_parts.Event],
    n: int,
    frame_rate: Fraction,
    rng: np.random.Generator,
    size: tuple[int, int] | None = None,
) -> Iterator[np.ndarray]:
    """Yield `n` frames (uint8 RGB) of `thing` following `score`, of `size` or one drawn; each pose is drawn once."""
    width, height = _SIZES[rng.integers(len(_SIZES))] if size is None else size
    side = min(width, height)
    place = background(height + 2 * _SHAKE, width + 2 * _SHAKE, rng)
    shades = Shades(colour(thing.look.hue + rng.uniform(-9, 9), rng.uniform(0.65, 0.95), rng.uniform(0.7, 0.95)))
    extent = side * rng.uniform(0.34, 0.46)
    offset = rng.uniform(-0.1, 0.1, 2) * side
    centre = (place.shape[2] / 2 + offset[0], place.shape[1] / 2 + offset[1])
    poses = thing.look.poses(follow(score, np.arange(n) / float(frame_rate))).astype(int).tolist()
    camera, light = shake(n, _SHAKE, rng), rng.uniform(0.8, 1.05)
    grain = rng.integers(0, rng.integers(2, 8), (5, height, width, 3), dtype=np.uint8)
    drawn: dict[tuple[int, ...], np.ndarray] = {}
    for i, (pose, (dx, dy)) in enumerate(zip(map(tuple, poses), camera, strict=True)):
        if pose not in drawn:
            canvas = Canvas(place.copy(), centre, extent)
            thing.look.draw(canvas, pose, shades)
            drawn[pose] = canvas.pixels(light, 247)
        yield drawn[pose][dy : dy + height, dx : dx + width] + grain[i % 5]
