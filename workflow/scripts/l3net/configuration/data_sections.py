"""The sections of the data: the demo's world, AudioSet's clips, and the samples cut from them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from l3net.configuration.names import SUBSET_PATTERN
from l3net.configuration.section import Line, Number, PathText, Section, Whole, setting

if TYPE_CHECKING:
    from l3net.configuration.run import Configuration

DEMO_FOLDER = "resources/demo/"
SourceName = Literal["directory", "tar", "http", "youtube"]
X264Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
JavaScriptRuntime = Literal["deno", "node"]
SplitName = Literal["hash", "balanced", "column"]
PairingName = Literal["overlapping", "clip", "last_frame"]
_LISTS = "https://storage.googleapis.com/us_audioset/youtube_corpus/v1/csv"


class Demo(Section):
    """The synthetic world of the demo. It is made only where a path under resources/demo/ is asked for."""

    clips_per_class: Whole = setting(
        30,
        "Videos of each of the ten classes; about a tenth more are broken, short, silent or missing.",
        unit="videos",
        ge=1,
    )
    duration_seconds: Number = setting(
        10.0, "Seconds of a segment; most videos are longer.", unit="seconds", gt=1, le=600
    )
    scenes: Whole = setting(
        1,
        "Things that a clip shows, cut one after another; from two on the world is in resources/demo/scenes-{n}.",
        unit="scenes",
        ge=1,
        le=5,
    )
    dataset_clips_per_class: Whole = setting(
        15,
        "Recordings of each of the ten classes in each downstream data set; of scenes twice as many.",
        unit="recordings",
        ge=2,
    )


class Expect(Section):
    """What the estimate that is printed before fetching assumes."""

    megabytes_per_clip: Number = setting(0.9, "Megabytes of a clip in the store.", unit="MB", gt=0)
    clips_per_hour: Whole = setting(300, "Clips that one job fetches in an hour.", unit="clips an hour", ge=1)
    obtainable: Number = setting(0.7, "Share of the clips that can still be fetched.", gt=0, le=1)


class AudioSet(Section):
    """Which clips there are, and how they are fetched."""

    segments: list[PathText] = setting(
        [f"{_LISTS}/{name}_segments.csv" for name in ("balanced_train", "unbalanced_train", "eval")],
        "Lists of clips in AudioSet's format: paths or addresses.",
        min_length=1,
    )
    ontology: PathText = setting("resources/ontology.json", "Path of AudioSet's ontology.")
    subsets: dict[Annotated[str, Field(pattern=SUBSET_PATTERN)], PathText] = setting(
        {"music": "resources/filters/music.csv", "environmental": "resources/filters/environmental_published.csv"},
        "Filter of each subset: a CSV of label names, with or without their descendants in the ontology, or the word "
        "all. The published filter of the environmental subset matched no descendants; environmental.csv, beside it, "
        "does.",
    )
    max_clips: Whole | None = setting(
        None, "Clips of each subset at most, chosen by the hash of their ids; null takes all.", unit="clips", ge=1
    )
    parts: Whole = setting(
        800,
        "Parts that the clips are dealt into by the hash of their video's id. One part is one download job and one "
        "shard. The first 80 % train, the next 10 % validate, the last 10 % test; fewer than 6 leave a split empty.",
        unit="parts",
        ge=6,
        le=10_000,
    )
    split: SplitName = setting(
        "hash",
        "How videos are dealt into parts: hash, by the hash of their ids alone, so that none moves when the list "
        "grows; balanced, so that from six videos on every split has its share; or column, as the lists say.",
    )
    min_clips: Whole = setting(
        1000,
        "Clips that each subset and split must have, else the run stops with one line; 0 does not look.",
        unit="clips",
        ge=0,
    )
    source: SourceName = setting(
        "youtube",
        "Where clips come from: a folder of videos, or of tar or Parquet shards, a mirror by http(s), or YouTube.",
    )
    directory: PathText | None = setting(
        None, "Folder of whole videos, named {ytid}.*, or of shards; needed by sources directory and tar."
    )
    url_template: Line | None = setting(
        None,
        "Address of a video, with {ytid} in the place of its id; needed by source http. ${NAME} in it, such as a "
        "token, is replaced by that variable of the environment.",
    )
    store: PathText = setting(
        "resources/clips/audioset", "Folder of validated clips, one file each; keep one for each short_side."
    )
    short_side: Whole | None = setting(
        256, "Pixels of the shorter side of a stored video; null keeps the original's.", unit="pixels", ge=2, le=4320
    )
    preset: X264Preset = setting("veryfast", "Name of x264's compromise between time and size.")
    crf: Whole = setting(23, "Constant rate factor of x264 in the store: 0 is lossless, 51 the worst.", ge=0, le=51)
    workers: Whole = setting(
        2, "Downloads or transcodes that one job does at a time.", unit="threads", ge=1, le=256, changes_only_how=True
    )
    attempts: Whole = setting(
        3, "Attempts of one job at a clip whose failure may pass.", unit="attempts", ge=1, changes_only_how=True
    )
    sleep_interval: Number = setting(
        5.0, "Seconds between two requests of one worker.", unit="seconds", ge=0, changes_only_how=True
    )
    rate_limit: Whole | None = setting(
        None,
        "Bytes a second that one worker may load; null sets no limit.",
        unit="bytes a second",
        ge=1,
        changes_only_how=True,
    )
    give_up_after: Whole = setting(
        5, "Blocks in a row (bot check, rate limit) that end a job.", unit="blocks", ge=1, changes_only_how=True
    )
    back_off_seconds: Number = setting(
        60.0,
        "Seconds that all workers of a job pause after a first block; each further block doubles them.",
        unit="seconds",
        ge=0,
        changes_only_how=True,
    )
    timeout_seconds: Number = setting(
        60.0, "Seconds to wait for a connection.", unit="seconds", gt=0, changes_only_how=True
    )
    format: Line | None = setting(None, "Format selector of yt-dlp; null takes the best up to 720 lines, with sound.")
    cookies: PathText | None = setting(
        None,
        "Path of a cookies file in Netscape's format. Other users of the machine can read those that go to an https "
        "address, YouTube's too, from ffmpeg's command line while it runs.",
        changes_only_how=True,
    )
    proxy: Line | None = setting(
        None,
        "Address of an http(s) proxy; ${NAME} in it is replaced by that variable of the environment.",
        changes_only_how=True,
    )
    js_runtime: JavaScriptRuntime = setting("deno", "JavaScript runtime of yt-dlp.", changes_only_how=True)
    allow_private_addresses: bool = setting(False, "Whether source http may reach loopback and private networks.")
    expect: Expect = setting(
        Expect(), "Assumptions of the estimate that is printed before fetching.", changes_only_how=True
    )


class Samples(Section):
    """How samples are drawn from clips."""

    samples_per_clip: Whole = setting(
        253,
        "Samples drawn from each clip (296 K music videos x 0.8 x 253 = 60 M to train with).",
        unit="samples",
        ge=1,
        le=1_000_000,
    )
    frames_per_clip: Whole = setting(
        300,
        "Distinct frames used of a clip, at most (300: every frame of 10 s); at least two a second.",
        unit="frames",
        ge=2,
    )
    short_side: Whole = setting(
        256, "Pixels of the shorter side of a frame before the crop.", unit="pixels", ge=1, le=4320
    )
    jpeg_quality: Whole = setting(90, "Quality of the stored JPEG images.", ge=1, le=100)
    image_size: Whole = setting(
        224, "Pixels of a side of the square crop that the vision subnetwork sees.", unit="pixels", ge=1, le=4320
    )
    pairing: PairingName = setting(
        "overlapping",
        "Frames that match a second of sound: those shown within it, any frame of the clip, or its last, which was the "
        "fault of the published code.",
    )
    hard_negatives: Number = setting(
        0.0, "Share of the negatives whose sound is of their own clip, at another time.", ge=0, le=1
    )
    memory_megabytes: Whole = setting(
        2048, "Megabytes of memory that one make_shard job is given.", unit="MB", ge=1, changes_only_how=True
    )


def scenes_have_their_world(configuration: "Configuration") -> Iterator[str]:
    """Yield what is wrong where the lists are of a world of other scenes (a check of `between_keys`)."""
    wanted = f"{DEMO_FOLDER}scenes-{n}/" if (n := configuration.demo.scenes) > 1 else DEMO_FOLDER
    for path in configuration.audioset.segments:
        if path.startswith(DEMO_FOLDER) and path != f"{wanted}segments.csv":
            yield f"audioset.segments has {path!r}; expected {wanted}segments.csv, which demo.scenes of {n} makes"


def source_has_its_address(configuration: "Configuration") -> Iterator[str]:
    """Yield what a source of clips lacks (a check of `between_keys`)."""
    audioset = configuration.audioset
    if audioset.source in ("directory", "tar") and audioset.directory is None:
        yield f"audioset.directory is null; expected the folder of the videos, which source {audioset.source} needs"
    if audioset.source != "http":
        return
    template = audioset.url_template
    expected = "expected an address such as https://mirror.example.org/{ytid}.mp4, which audioset.source http needs"
    if template is None:
        yield f"audioset.url_template is null; {expected}"
    elif not template.startswith(("http://", "https://")) or "{ytid}" not in template:
        yield f"audioset.url_template is no http(s) address with {{ytid}} (it is not repeated here); {expected}"
