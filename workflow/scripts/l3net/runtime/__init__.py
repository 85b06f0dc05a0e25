"""What every stage needs, whatever it computes: binding to Snakemake and to the command line, writing files whole,
growing HDF5 datasets, aligned arrays, downloads, hashes, provenance, progress and signals. Nothing here knows audio."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aligned_memory": ["aligned_copy", "aligned_empty", "aligned_zeros"],
        "download": ["download_file"],
        "hashing": ["sha256_of", "stable_hash"],
        "hdf5": ["append_rows", "growing_dataset"],
        "progress": ["Progress", "track_progress"],
        "provenance": ["canonical_json", "describe"],
        "signals": ["StopRequests"],
    },
)
