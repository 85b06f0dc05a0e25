"""The networks: L3-Net, the spectrograms at its front, released weights and where they come from, and exports
for other programs."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "export": ["export_embedding"],
        "export_formats": ["check_export_format"],
        "finite_weights": ["check_finite_weights"],
        "front_ends": ["FRONT_ENDS", "FRONT_END_VERSIONS", "HOP_LENGTH", "POOLINGS"],
        "mel_filters": ["mel_filters"],
        "l3": ["build_l3", "embedding_network", "vision_embedding_network"],
        "objectives": ["OBJECTIVES"],
        "openl3_weights": ["openl3_side", "read_openl3_weights"],
        "pickled_arrays": ["read_pickled_arrays"],
        "weight_download": ["fetch_weight_file"],
    },
)
