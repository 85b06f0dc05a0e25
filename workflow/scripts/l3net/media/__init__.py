"""Media files: the only room that opens one. Finding ffmpeg, probing, cutting clips, decoding sound and
picture. The sample rate and the frame rate of the project stand in `rates`."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "audio": ["audio_blocks", "audio_from_array", "is_audio"],
        "encoding": ["Encoding", "cut_clip"],
        "ffmpeg": ["NETWORK_OPTIONS", "ffmpeg_binary", "network_input_arguments"],
        "probe": ["probe_media"],
        "rates": ["FPS", "SAMPLE_RATE"],
        "video": ["Outline", "clip_streams", "mono_int16", "open_clip", "read_outline"],
        "video_writer": ["write_video"],
    },
)
