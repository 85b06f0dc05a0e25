"""Classifying small labelled data sets from their embeddings: layouts of data sets, folds, classifiers, and the
paper's perceptrons as one program."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "archive_download": ["fetch_archives"],
        "archive_layouts": ["LAYOUTS", "SOUND_SUFFIXES"],
        "classifiers": ["CLASSIFIERS", "MlpSettings"],
        "datasets": ["check_dataset", "read_dataset_index", "write_dataset_index"],
        "folds": ["check_folds"],
        "own_dataset": ["draw_folds"],
        "evaluation": ["EvaluationSettings", "FoldOutcome", "evaluate_folds"],
    },
)
