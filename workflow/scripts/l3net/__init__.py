"""L3-Net audio embeddings: the library under the workflow.

The modules stand on floors; a module imports only from floors below its own (docs/decisions.md):

    5  cli  hear
    4  training  embeddings  embedding_exports  classifiers
    3  networks  released_soundnet  released_vggish  released_openl3  synthesis  synthesis_recordings
    2  feed  front_ends  sampling  acquisition  synthesis_voices  synthesis_music  synthesis_street
    1  shards  media  datasets  audioset  statistics  figures
       sound  windows  embedding_files  weights
       synthesis_sound  synthesis_picture  synthesis_motion  synthesis_video
    0  errors  files  hashing  progress  provenance  stage  validate
"""

__version__ = "0.1.0"
