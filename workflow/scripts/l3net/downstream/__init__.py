"""Classifying small labelled data sets from their embeddings: layouts, folds, classifiers, and the paper's
perceptrons as one program."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "archive_download": ["fetch_archives"],
        "archive_layouts": ["LAYOUTS", "SOUND_SUFFIXES"],
        "classifiers": ["LabelledWindows", "MlpClassifier", "ScikitLearnClassifier", "clip_likelihoods"],
        "datasets": ["check_dataset", "read_dataset_index", "folds_to_test", "write_dataset_index"],
        "folds": [
            "EmbeddedClips",
            "FoldWindows",
            "aligned_zeros",
            "fill_standardised",
            "fold_windows",
            "mean_and_deviation",
            "read_embedded_clips",
            "window_blocks",
        ],
        "mlp_grid": ["padded_rows"],
    },
)
