"""The demo's synthetic world: things that are seen and heard, clips and videos of them, and recordings for the
downstream data sets. A thing's voice, rhythm, look and label stand in one place: music_things, street_things or
other_sounds."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "recordings": ["DCASE2013", "ESC50", "MIXTURES", "Recording", "US8K", "make_recording", "mix"],
        "sound_parts": ["generator"],
        "world": ["DemoClip", "draw_clips", "make_video"],
    },
)
