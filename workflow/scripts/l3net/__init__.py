"""L3-Net audio embeddings: the library under the workflow.

The modules stand on floors; a module imports only from floors below its own (docs/decisions.md):

    6  cli  hear
    5  training  embeddings  embedding_exports  classifiers
    4  checkpoints  correspondence  devices  steps
    3  networks  feed  released_soundnet  released_vggish  released_openl3  hear_modules  embed_files  keras_embeddings
       synthesis  synthesis_recordings  acquisition
       perceptrons
    2  feed_reader  samples  front_ends  legs  embedding_streams  sampling  synthesis_voices  synthesis_music  synthesis_street
       folds  selection  clip_check  clip_sources  clip_store  downloads
    1  shards  shard_writer  shard_index  video  feed_order  batch_memory  reader_processes
       media  datasets  audioset  statistics  figures  ontology  gate  back_off  download_failures  download_settings  dataset_layouts
       sound  windows  embedding_files  vector_files  weights  checkpoint_files
       synthesis_sound  synthesis_picture  synthesis_motion  synthesis_video
    0  errors  files  hashing  interrupts  progress  provenance  shard_format  stage  validate  clips  addresses  launch  scratch
"""

import os

# TensorFlow's notes (of GPUs not found, of graph attributes) would bury a run's own lines; its failures are exceptions anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Return `embed`, and load TensorFlow, when it is asked for: ``l3net.embed(audio, sample_rate, model=...)``."""
    if name == "embed":
        from l3net.keras_embeddings import embed

        return embed
    raise AttributeError(f"module 'l3net' has no attribute {name!r}")
