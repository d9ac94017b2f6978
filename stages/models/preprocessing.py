"""From faces as they are stored to what a network takes in."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stages.faces.table import Selection


def to_images(faces: Tensor) -> Tensor:
    """uint8 faces N×H×W or N×H×W×3 as float32 images N×C×H×W, 0 to 1."""
    images = faces.unsqueeze(1) if faces.ndim == 3 else faces.permute(0, 3, 1, 2)
    return images.float().div_(255)


@dataclass(frozen=True)
class Inputs:
    """The side of a network's input in pixels, and the mean and deviation of each channel (0 to 1) it is rid of."""

    size: int
    mean: list[float]
    std: list[float]

    @classmethod
    def measured(cls, faces: np.ndarray | Selection, size: int) -> "Inputs":
        """Inputs of `size` pixels, normalised to mean 0 and deviation 1 over `faces`, uint8 N×H×W or N×H×W×3."""
        channels = faces.shape[3] if len(faces.shape) == 4 else 1
        counts = np.zeros((channels, 256))
        for start in range(0, len(faces), 4096):  # counting takes eight times their memory
            block = faces[start : start + 4096].reshape(-1, channels)
            counts += [np.bincount(channel, minlength=256) for channel in block.T]
        levels = np.arange(256) / 255
        mean, std = [], []
        for share in counts / counts[0].sum():
            mean.append(round(float(share @ levels), 6))
            std.append(max(round(float(share @ (levels - share @ levels) ** 2) ** 0.5, 6), 1e-3))
        return cls(size, mean, std)

    def normalise(self, images: Tensor) -> Tensor:
        """Images N×C×H×W, 0 to 1, with mean 0 and deviation 1, in the memory order that convolutions like."""
        channels = zip(images.unbind(1), self.mean, self.std)  # plain numbers: a tensor of them would wait for the GPU
        images = torch.stack([(channel - mean) / std for channel, mean, std in channels], 1)
        return images.contiguous(memory_format=torch.channels_last)

    def __call__(self, faces: Tensor) -> Tensor:
        """uint8 faces N×H×W or N×H×W×3 as a network's input: float32 N×C×size×size."""
        images = to_images(faces)
        if images.shape[-1] != self.size:
            images = functional.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        return self.normalise(images)
