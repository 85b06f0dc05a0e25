"""The network: fetching one file whole and within bounds, why that failed in words, and addresses that hold secrets."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addresses": ["conceal_all", "referred", "reveal", "shown_address", "split_proxy"],
        "download": ["connection_words", "download_file"],
    },
)
