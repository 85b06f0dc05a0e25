"""What tables and figures share: accuracies and their statistics, the paper's numbers beside ours, the look of figures,
and the names in them."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={"accuracy", "against_untrained", "comparisons", "figure_style", "pages", "summary"},
    submod_attrs={
        "clustered": ["ClusteredShare", "clustered_difference", "clustered_share"],
        "labels": [
            "chances",
            "dataset_title",
            "display_name",
            "embedding_titles",
            "measure_name",
            "model_title",
            "reference_embedding",
            "scores_note",
            "several_labels",
            "titles_in",
        ],
        "statistics": ["bootstrap_interval", "holm_correction", "signed_rank", "wilson_interval"],
        "tables": [
            "best_checkpoints",
            "by_main_measure",
            "checkpoints_on_the_way",
            "read_table",
            "read_tables",
            "write_rows",
            "write_table",
        ],
    },
)
