"""Embedding many sounds and keeping their vectors: sound files into CSV, npz or HDF5, and whole data sets."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "audio_files": ["POOLS", "check_pool", "embed_audio_files", "find_audio_files", "sounds_below"],
        "film": ["embed_film", "embed_pictures", "load_image_embedding"],
        "label_sets": [
            "SEPARATOR",
            "are_label_sets",
            "class_names",
            "join_labels",
            "label_matrix",
            "rarest_labels",
            "split_labels",
        ],
        "ranking": [
            "class_answers",
            "found_within",
            "has_label_sets",
            "mean_ranking",
            "ranking_by_class",
            "resampled_precision",
        ],
        "pictures": ["find_pictures", "load_picture_embedding"],
        "vector_file": ["read_vector_metadata"],
        "dataset_vectors": ["DatasetVectors", "DatasetVectorsWriter", "read_dataset_vectors"],
    },
)
