"""Training a model leg by leg: the loop, one step, the optimizer, checkpoints, and the answers of a
trained model to its own task."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "checkpoint": ["Checkpoint", "best_checkpoint", "history_csv", "read_checkpoint", "write_checkpoint"],
        "correspondence": ["Answers", "ask_correspondence", "embed_pairs"],
        "leg": ["Leg"],
        "loop": ["run_leg"],
        "model_state": ["load_l3"],
    },
)
