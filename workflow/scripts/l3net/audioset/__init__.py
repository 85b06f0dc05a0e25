"""AudioSet: its lists of segments and its ontology, the choice of a subset's clips, and the part and the
split that each video belongs to."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attrition": ["check_splits", "count_labels", "count_statuses", "join_fates", "log_shares"],
        "clip": [
            "BLOCKED_STATUSES",
            "Clip",
            "ClipFailure",
            "FINAL_STATUSES",
            "STATUSES",
            "USABLE_STATUSES",
            "check_ytid",
            "clip_path",
        ],
        "clip_selection": ["clips_with_labels", "part_clips"],
        "clip_tables": ["CLIP_KEY", "MANIFEST_COLUMNS", "MANIFEST_TYPES", "read_clip_list", "read_manifest"],
        "ontology": ["own_label", "read_filter", "read_ontology"],
        "segment_lists": ["read_segments"],
        "splits": ["LEAST_VIDEOS", "SPLITS", "deal_videos", "part_of", "parts_of", "split_of"],
    },
)
