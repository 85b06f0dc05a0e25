"""What tables and figures share: statistics of accuracies, the look of figures, and the names in them."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "labels": ["display_name", "reference_embedding", "scores_note"],
        "statistics": ["bootstrap_interval", "holm_correction", "signed_rank", "wilson_interval"],
    },
)
