"""L3-Net audio embeddings: the library under the workflow.

The modules stand on floors; a module imports only from floors below its own (docs/decisions.md):

    6  cli  hear
    5  training  embeddings  embedding_exports  classifiers
    4  checkpoints  correspondence  devices  steps
    3  networks  feed  perceptrons  acquisition
       released_soundnet  released_vggish  released_openl3  hear_modules  embed_files  keras_embeddings
       synthesis  synthesis_recordings
    2  front_ends  inference  feed_reader  samples  sampling  distributions  folds  legs
       embedding_streams  perceptron_program  selection  clip_check  clip_sources  clip_store  downloads
       synthesis_voices  synthesis_music  synthesis_street
    1  audioset  ontology  gate  back_off  download_failures  download_settings  media
       shards  shard_writer  shard_index  video  feed_order  batch_memory  reader_processes
       datasets  dataset_layouts  statistics  figures
       sound  windows  mel_scale  winograd  embedding_files  vector_files  weights  checkpoint_files
       synthesis_sound  synthesis_picture  synthesis_motion  synthesis_video
    0  errors  files  hashing  progress  provenance  stage  validate
       addresses  clips  interrupts  launch  scratch  shard_format
"""

import os

# TensorFlow's notes (of GPUs not found, of graph attributes) would bury a run's own lines; failures are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Return `embed`, and load TensorFlow, when it is asked for: ``l3net.embed(audio, sample_rate, model=...)``."""
    if name == "embed":
        from l3net.keras_embeddings import embed

        return embed
    raise AttributeError(f"module 'l3net' has no attribute {name!r}")
