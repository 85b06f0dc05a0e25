"""Embeddings behind one interface: our own, OpenL3, VGGish, SoundNet and any HEAR module."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "embedding_keras": ["embed", "load_keras_embedding", "load_network"],
        "interface": ["Embedding", "WindowEmbedding"],
        "keras_metadata": ["add_keras_metadata", "read_keras_metadata"],
        "onnx_embedding": ["load_onnx_network", "read_metadata"],
        "stream": ["stream"],
        "registry": ["EMBEDDING_FACTS", "check_embedding", "load_embedding"],
    },
)
