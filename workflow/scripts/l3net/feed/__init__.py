"""From shards to batches: the order of samples, the processes that read them, the memory they share, and the
augmentation inside the training step."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "augment": ["prepare_batch"],
        "pipeline": ["Feed", "one_line_errors", "open_feed"],
    },
)
