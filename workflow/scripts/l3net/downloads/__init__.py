"""Media of the network: yt-dlp and what its failures mean, and the one guarding proxy through which every
request of an acquisition passes."""

import lazy_loader

# Names that other rooms use; each module is loaded when one of its names is.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addresses": ["UserProxy", "is_private"],
        "guard_proxy": ["GuardProxy"],
        "ytdlp": ["YtdlpSource"],
        "ytdlp_options": ["YOUTUBE_TEMPLATE", "Access", "js_runtime"],
    },
)
