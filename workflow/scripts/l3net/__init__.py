"""L3-Net audio embeddings: the library under the workflow.

The modules stand on floors; a module imports only from floors below its own (docs/decisions.md):

    5  cli  hear
    4  training  embeddings  classifiers
    3  networks  released
    2  feed  front_ends  sampling  acquisition
    1  shards  media  datasets  audioset  statistics  figures
    0  errors  files  hashing  progress  provenance  stage  validate
"""

__version__ = "0.1.0"
