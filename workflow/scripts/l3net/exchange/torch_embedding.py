"""An L3-Net embedding in PyTorch. It needs torch alone: copy this file and the .pt that `l3net export` wrote beside it.

model = load("embedding.pt")
vectors = model(sound)  # float32 [batch, 48000] in [-1, 1) at 48 kHz, or images [batch, size, size, 3] in [-1, 1]
"""

import torch
from torch import nn
from torch.nn import functional


def load(path):
    """Return the embedding in a file that `l3net export` wrote, ready for use."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    model = L3Embedding(stored["settings"])
    model.load_state_dict(stored["state_dict"])
    return model.eval()


class L3Embedding(nn.Module):
    """The spectrogram, the convolutions up to the last, and the maxima of its output."""

    def __init__(self, settings):
        super().__init__()
        self.s, n = settings, settings["inputs"]
        self.norm_0 = nn.BatchNorm2d(n, settings["epsilon"])
        for place, width in settings["convolutions"]:
            setattr(self, f"conv_{place}", nn.Conv2d(n, width, 3, padding=1))
            n = width
            setattr(self, f"norm_{place}", nn.BatchNorm2d(n, settings["epsilon"]) if place != "4_2" else None)
        if "n_fft" in settings:
            self.register_buffer("filters", torch.zeros(settings["filters"]))

    def spectrogram(self, sound):
        """Return decibels below the maximum [batch, 1, bins, frames] of sound [batch, 48000]."""
        s, n_fft = self.s, self.s["n_fft"]
        end = (s["frames"] - 1) * s["hop_length"] + n_fft
        sound = functional.pad(sound, (s["before"], max(end - s["before"] - sound.shape[1], 0)))[:, :end]
        exact = torch.float32 if sound.device.type == "mps" else torch.float64  # Apple's has no float64
        window = torch.hann_window(n_fft, dtype=exact, device=sound.device)
        values = torch.fft.rfft(sound.unfold(1, n_fft, s["hop_length"]).to(exact) * window).abs() ** s["exponent"]
        values = values.to(sound.dtype)
        values = values @ self.filters if s["filters"][1] > 1 else values
        decibels = s["tens"] * torch.log10(values.clamp(min=s["floor"]))
        return (decibels - decibels.amax((1, 2), keepdim=True)).clamp(min=-80.0).transpose(1, 2)[:, None]

    def maxima(self, x, height, width):
        """Return the maxima over patches; a map that they do not divide is padded on both sides, as Keras does."""
        rows, columns = -x.shape[2] % height, -x.shape[3] % width
        sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return functional.max_pool2d(functional.pad(x, sides, value=float("-inf")), (height, width))

    def forward(self, x):
        """Return the vectors [batch, d] of float sound or images of the length or size that the network takes."""
        if list(x.shape[1:]) != self.s["shape"] or not x.is_floating_point():
            expected = f"floating point of shape {['batch', *self.s['shape']]}"
            raise ValueError(f"the input is {x.dtype} of shape {list(x.shape)}; expected {expected}")
        x = x.to(self.norm_0.weight.dtype)
        x = self.norm_0(self.spectrogram(x) if "n_fft" in self.s else x.permute(0, 3, 1, 2))
        for place, _ in self.s["convolutions"][:-1]:
            x, norm = getattr(self, f"conv_{place}")(x), getattr(self, f"norm_{place}")
            x = norm(functional.relu(x)) if place in self.s["relu_before_norm"] else functional.relu(norm(x))
            if place.endswith("2"):
                x = self.maxima(x, 2, 2) if self.s["pool_all"] else functional.max_pool2d(x, 2)
        x, pool = self.conv_4_2(x), self.s["pool"]
        return self.maxima(x, *pool).permute(0, 2, 3, 1).flatten(1) if pool else x.amax((2, 3))
