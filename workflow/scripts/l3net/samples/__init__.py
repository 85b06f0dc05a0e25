"""From clips to shards: which frame and which second of sound make a sample, the crops, and the HDF5 files
that hold them, with their index."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "crops": ["decode_crops"],
        "distributions": ["Quantity", "check_distributions"],
        "node_cache": ["cached_index"],
        "recipes": ["Recipes", "limit_gains"],
        "sample": ["Sample", "augment_sample", "read_sample"],
        "shard_format": ["SAMPLE"],
        "shard_index": ["IndexedShard", "ShardIndex", "read_shard_index", "write_shard_index"],
        "shard_reader": ["ClipData", "Shard"],
        "shard_writer": ["ShardWriter"],
    },
)
