"""From clips to shards: which frame and which second of sound make a sample, the crops, and the HDF5 files
that hold them, with their index."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "contact_sheet": ["draw_contact_sheet"],
        "crops": ["FrameScaler"],
        "distributions": ["Quantity", "check_distributions", "count_frame_offsets"],
        "node_cache": ["cached_index"],
        "recipes": ["Recipes"],
        "sample": ["Sample", "augment_sample", "read_sample"],
        "shard_assembly": ["ShardSettings", "assemble_shard", "read_part"],
        "shard_format": ["SAMPLE"],
        "shard_index": ["IndexedShard", "ShardIndex", "index_of_shards", "read_shard_index", "write_shard_index"],
        "shard_reader": ["ClipData", "Shard"],
    },
)
