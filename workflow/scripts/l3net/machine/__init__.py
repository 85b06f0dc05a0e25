"""What this machine has of what the workflow needs (programs, GPUs, disks, locks), and what to do about the rest."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "accelerators": ["largest_batches"],
        "doctor": ["examine"],
        "finding": ["Finding"],
    },
)
