"""What every stage needs, whatever it computes: binding to Snakemake and to the command line, several nodes,
aligned arrays, provenance, progress, locks and signals. Nothing here knows audio."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aligned_memory": ["aligned_copy", "aligned_empty", "aligned_zeros"],
        "console": ["counted", "duration"],
        "locks": ["lock_file"],
        "logs": ["ON_SCREEN"],
        "progress": ["Progress", "track_progress"],
        "provenance": ["canonical_json", "describe"],
        "signals": ["StopRequests", "exit_code_of_signal"],
    },
)
