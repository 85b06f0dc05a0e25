"""The devices that TensorFlow computes on: which there are, how it uses them, and strategies to train on several."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "memory": ["one_line_out_of_memory"],
        "seen": ["describe_devices"],
        "strategies": ["is_chief", "open_strategy"],
        "switches": ["intra_op_threads", "set_switches"],
    },
)
