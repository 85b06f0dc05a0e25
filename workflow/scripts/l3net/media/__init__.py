"""Media files, which only this room opens: where ffmpeg is, what a file holds, the cut of a clip, and the decoding
of sound and picture. The sample rate and the frame rate of the project stand in `rates`."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "audio": ["AudioConverter", "audio_blocks", "audio_from_array", "check_audio"],
        "encoding": ["Encoding", "cut_clip", "write_video"],
        "ffmpeg": ["ffmpeg_binary", "network_input_arguments"],
        "mono": ["mono_int16"],
        "probe": ["duration_at_address", "is_audio", "measure_clip", "probe_media", "survey_video"],
        "rates": ["FPS", "SAMPLE_RATE"],
        "video": ["Outline", "clip_streams", "frames_at", "open_clip", "read_outline"],
    },
)
