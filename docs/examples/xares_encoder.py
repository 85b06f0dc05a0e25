"""A model of this workflow as an encoder of X-ARES (pip install xares torch).

L3NET_MODEL=embedding.keras python -m xares.run docs/examples/xares_encoder.py src/tasks/*.py
"""

import os

import numpy as np
import torch

import l3net


class L3Encoder(torch.nn.Module):
    """Sound [batch, samples] at 16 kHz -> vectors [batch, windows, output_dim], a window every `hop_size_in_ms`.

    L3-Net hears up to 24 kHz; what X-ARES hands over at 16 kHz lacks everything above 8.
    """

    def __init__(self, model: str | None = None, hop_seconds: float = 0.1):
        super().__init__()
        self.embedding = l3net.load(model or os.environ["L3NET_MODEL"])
        self.sampling_rate = 16_000
        self.hop_size_in_ms = 1000 * hop_seconds
        self.output_dim = self.embedding.dimension

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Embed a batch of sounds; a sound shorter than a second is one window."""
        sounds = list(np.atleast_2d(audio.detach().cpu().numpy()))
        vectors, _ = l3net.embed(
            sounds, self.sampling_rate, model=self.embedding, hop_seconds=self.hop_size_in_ms / 1000
        )
        return torch.from_numpy(np.stack(vectors))
