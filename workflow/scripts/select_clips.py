"""Select the clips of one subset from AudioSet's lists, before anything is fetched."""

import logging
from pathlib import Path

from l3net.errors import ClipError
from l3net.files import atomic
from l3net.runtime import stage

_log = logging.getLogger("l3net")


def select_clips(
    segments: list[Path], ontology: Path, filter: Path | None, output: Path, *, max_clips: int | None = None
) -> None:
    """Write the clips one of whose labels the filter names, or lies below one that it names with its children.

    Parameters
    ----------
    segments : lists in AudioSet's own format (three comment lines, then ``YTID, start, end, "label,label"``).
    ontology : AudioSet's ontology.json.
    filter : CSV with columns ``label,include_children``; None, or the word all, takes every clip.
    output : CSV with columns ``ytid,start_seconds,end_seconds,labels``, sorted by id and start.
    max_clips : the largest number of clips, chosen by a hash of their ids; None takes all.

    Raises
    ------
    ConfigError
        The filter or the ontology cannot be used.
    ClipError
        A list cannot be read, or no clip has a label of the filter.
    """
    from l3net.audioset import clips_with_labels, read_filter, read_ontology
    from l3net.configuration import EVERY_CLIP

    known = read_ontology(ontology)
    takes_all = filter is None or str(filter) == EVERY_CLIP
    clips = clips_with_labels(segments, known, None if takes_all else read_filter(filter, known), max_clips)
    if clips.is_empty():
        lists = ", ".join(map(str, segments))
        if takes_all:
            raise ClipError(f"{lists}: no clip stands there; expected rows of an id, two times and labels")
        raise ClipError(f"no clip in {lists} has a label of {filter}; expected at least one: check list and filter")
    with atomic.replacing(output) as temporary:
        clips.write_csv(temporary)
    _log.info("%s: %d clips of %d videos", output, len(clips), clips["ytid"].rle_id().max() + 1)  # sorted by them


if __name__ == "__main__":
    stage.main(select_clips, globals().get("snakemake"))
