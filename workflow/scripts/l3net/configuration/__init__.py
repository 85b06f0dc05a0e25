"""The configuration of a run: its keys with their types, units, ranges and the paper's values, the checks
between them, what is generated from them (config.yaml, the schema for editors, the reference page), and the
names of models and embeddings that follow from it."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "data_sections": ["AudioSet", "Samples"],
        "embedding_sections": ["modules_not_found"],
        "evaluation_sections": ["Classify", "Embed", "Report"],
        "names": [
            "EVERY_CLIP",
            "FRONT_ENDS",
            "GPU_STAGES",
            "SUBNETWORK_LAYER",
            "EmbeddingName",
            "ModelName",
            "checkpoint_name",
            "layers_of_part",
            "model_grid",
        ],
        "run": ["Configuration", "fault_of_file", "read_configuration", "sort_keys", "without_secrets"],
        "training_sections": ["Evaluate", "FrontEnd", "Models", "Network", "Train"],
    },
)
