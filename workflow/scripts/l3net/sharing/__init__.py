"""What travels with a result: a model's card, a folder with all that somebody else needs to use it, and a run's
RO-Crate."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bundle": ["share_model"],
        "card": ["CardFacts", "model_card"],
        "crate": ["describe_run_as_crate"],
    },
)
