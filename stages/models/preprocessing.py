"""Preprocessing: from stored faces to the input of a network."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stages.faces.table import Selection

MIN_STD = 1e-3  # an image of one grey level has none


def to_images(faces: Tensor) -> Tensor:
    """Return uint8 faces, N×H×W or N×H×W×3, as float32 images N×C×H×W, 0 to 1."""
    images = faces.unsqueeze(1) if faces.ndim == 3 else faces.permute(0, 3, 1, 2)
    return images.float().div_(255)


@dataclass(frozen=True)
class Inputs:
    """The preprocessing of a network: resize, then normalise each channel.

    Attributes:
        size: height and width of the network's input in pixels.
        mean: subtracted from each channel, 0 to 1.
        std: divides each channel, above 0.
        per_face: whether each face has mean 0 and standard deviation 1 in each channel instead.
    """

    size: int
    mean: list[float]
    std: list[float]
    per_face: bool = False

    @classmethod
    def fit(cls, faces: np.ndarray | Tensor | Selection, size: int, per_face: bool = False) -> Self:
        """Return the preprocessing that normalises `faces` to mean 0 and standard deviation 1 in each channel.

        Args:
            faces: uint8, N×H×W or N×H×W×3, on the CPU or on disk.
            size: height and width of the network's input in pixels.
            per_face: see `Inputs`.
        """
        channels = faces.shape[3] if len(faces.shape) == 4 else 1
        counts = np.zeros((channels, 256))
        for start in range(0, len(faces), 4096):  # counting takes eight times the memory of the faces
            block = np.asarray(faces[start : start + 4096]).reshape(-1, channels)
            counts += [np.bincount(channel, minlength=256) for channel in block.T]
        levels = np.arange(256) / 255
        mean, std = [], []
        for share in counts / counts[0].sum():
            mean.append(round(float(share @ levels), 6))
            std.append(max(round(float(share @ (levels - share @ levels) ** 2) ** 0.5, 6), MIN_STD))
        return cls(size, mean, std, per_face)

    def normalise(self, images: Tensor) -> Tensor:
        """Return images N×C×H×W, 0 to 1, with the mean subtracted and divided by the standard deviation.

        The memory format is channels-last, in which convolutions are faster.
        """
        if self.per_face:
            std, mean = torch.std_mean(images, (2, 3), correction=0, keepdim=True)
            return ((images - mean) / std.clamp(min=MIN_STD)).contiguous(memory_format=torch.channels_last)
        # The statistics are Python numbers: copying them to the GPU as a tensor would make the host wait.
        channels = zip(images.unbind(1), self.mean, self.std, strict=True)
        images = torch.stack([(channel - mean) / std for channel, mean, std in channels], 1)
        return images.contiguous(memory_format=torch.channels_last)

    def __call__(self, faces: Tensor) -> Tensor:
        """Return uint8 faces, N×H×W or N×H×W×3, as the network's input: float32, N×C×size×size."""
        images = to_images(faces)
        if images.shape[-1] != self.size:
            images = functional.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        return self.normalise(images)
