"""Make the demo's synthetic world: whole videos as on a video site, and a list of segments in AudioSet's format."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from l3net.demo import DemoClip, draw_clips, make_video
from l3net.files import atomic
from l3net.runtime import stage, track_progress


def make_demo_videos(
    segments: Path,
    videos: Path,
    *,
    seed: int,
    clips_per_class: int = 30,
    duration_seconds: float = 10.0,
    parts: int = 10,
    scenes: int = 1,
    threads: int = 1,
) -> None:
    """Write the segment list and the folder of videos of the synthetic world. Nothing in it is real.

    Parameters
    ----------
    segments : the list to write, in AudioSet's format; it also names some videos that do not exist.
    videos : the folder to write; videos are named {ytid}.mp4, and some are broken, short or silent on purpose.
    seed : of everything that is drawn; the same seed gives the same world.
    clips_per_class : faultless videos of each of the ten classes; the faulty ones come on top.
    duration_seconds : length of a segment; most videos are longer.
    parts : number of parts over which each class is spread evenly (audioset.parts of the run).
    scenes : things that a clip shows and sounds one after the other; 1 makes clips of one thing from beginning to end.
    threads : videos made at a time.
    """
    clips = draw_clips(clips_per_class, duration_seconds, seed=seed, parts=parts, scenes=scenes)
    with atomic.replacing_folder(videos) as folder:
        make = partial(make_video, folder=folder, seed=seed)
        with ProcessPoolExecutor(threads) as pool:
            for _ in track_progress(pool.map(make, clips, chunksize=4), "making videos", len(clips), "videos"):
                pass
    atomic.write_text(segments, segment_list(clips))


def segment_list(clips: list[DemoClip]) -> str:
    """Return `clips` as a segment list in AudioSet's format: three comment lines, then a line a clip."""
    labels = [mid for clip in clips for mid in clip.mids]
    header = (
        "# Segments csv of a synthetic world: no video of it is real",
        f"# num_ytids={len(clips)}, num_segs={len(clips)}, num_unique_labels={len(set(labels))}, "
        f"num_positive_labels={len(labels)}",
        "# YTID, start_seconds, end_seconds, positive_labels",
    )
    return "\n".join([*header, *(clip.row() for clip in clips)]) + "\n"


if __name__ == "__main__":
    stage.main(make_demo_videos, globals().get("snakemake"))
