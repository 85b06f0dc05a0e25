"""What media files say of themselves, read byte by byte without ffmpeg: their lengths, their checksums, and the marks
of their packets, by which a file that is cut or damaged is told."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "matroska": ["damaged_parts"],
        "packets": ["begins_a_frame", "frame_bytes"],
        "presented": ["presented"],
        "whole_file": ["broken_at", "check_whole"],
    },
)
