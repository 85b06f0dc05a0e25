"""Fetching clips: the sources they come from, a folder of one's own videos among them, the pauses that a source asks
for, the check of what arrived, and the store that keeps it."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backoff": ["Pace"],
        "clip_store": ["ClipStore", "unmark_clips"],
        "own_videos": ["OwnVideos", "list_own_videos"],
        "part_job": ["PartJob"],
        "part_log": ["log_estimate", "log_outcome"],
        "sources": ["open_source"],
    },
)
