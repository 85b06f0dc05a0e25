"""How far a run is, told from its files alone: nothing is locked or opened for writing, and no network is loaded, so
it can be asked while the run goes on and where it was not started."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "journal": ["Journal", "read_journal"],
        "plan": ["RunPlan", "find_runs", "read_plan", "write_plan"],
        "progress": ["read_progress"],
        "status": ["status_lines", "status_of"],
    },
)
