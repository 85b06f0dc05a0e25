"""L3-Net audio embeddings: the library under the workflow.

The modules stand on floors; a module imports only from floors below its own (docs/decisions.md):

    6  cli  hear
    5  training  embeddings  embedding_exports  classifiers
    4  checkpoints  correspondence  devices  steps
    3  networks  feed  released_soundnet  released_vggish  released_openl3  hear_modules  synthesis  synthesis_recordings  acquisition
       perceptrons
    2  feed_reader  samples  front_ends  legs  embedding_streams  sampling  synthesis_voices  synthesis_music  synthesis_street
       folds  selection  clip_check  clip_sources  clip_store  downloads
    1  shards  shard_index  video  feed_order  media  datasets  audioset  statistics  figures  ontology  gate  back_off  download_failures  download_settings  dataset_layouts
       sound  windows  embedding_files  weights  checkpoint_files
       synthesis_sound  synthesis_picture  synthesis_motion  synthesis_video
    0  errors  files  hashing  interrupts  progress  provenance  stage  validate  clips  addresses  launch  scratch
"""

import os

# TensorFlow's start-up notes would bury a run's own lines. It reads this once, when it is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

__version__ = "0.1.0"
