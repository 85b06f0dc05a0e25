"""A trained network made ready for use: its batch norms are folded into its convolutions, and CPUs compute
these with compiled code."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "fold_batch_norms": ["prepare_for_inference"],
        "precisions": ["PRECISIONS", "check_precision"],
    },
)
