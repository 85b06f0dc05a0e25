"""AudioSet: its lists of segments and its ontology, the choice of a subset's clips, and the part and the
split that each video belongs to."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attrition": ["check_min_clips", "count_labels", "count_statuses", "join_fates", "log_shares"],
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
        "ontology": ["read_filter", "read_ontology"],
        "segment_lists": ["read_segments"],
        "splits": ["SPLITS", "part_of", "parts_of", "split_of"],
    },
)
