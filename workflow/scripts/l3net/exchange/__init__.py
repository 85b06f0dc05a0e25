"""Trained weights on their way in and out: starting a training from weights that exist, files for PyTorch, and ONNX in
8 bits."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "initial_weights": ["give_initial_weights"],
        "onnx_int8": ["check_int8", "export_int8"],
        "torch_export": ["export_embedding"],
    },
)
