"""From stored faces to calibrated probabilities in one network, which is what is exported."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.models.forward import views_of
from stages.models.preprocessing import Inputs


class Calibrated(nn.Module):
    """A trained network with its preprocessing, its test views, its temperature and the softmax, in float32.

    Maps uint8 faces in the form in which the stage merge stores them, N×S×S (grey) or N×S×S×3 (RGB), to calibrated
    probabilities N×labels.

    Args:
        network: the trained network, on the CPU.
        config: its config, as `saved_model.load` returns both.
    """

    def __init__(self, network: nn.Module, config: dict[str, Any]) -> None:
        super().__init__()
        self._network, self._inputs = network, Inputs(**config["inputs"])
        self._views, self._temperature = config["recipe"]["test_views"], config["temperature"]
        self.eval().to(memory_format=torch.channels_last)

    def forward(self, faces: Tensor) -> Tensor:
        views = views_of(self._inputs(faces), self._views)
        logits = self._network(torch.cat(views)).unflatten(0, (len(views), -1)).mean(0)
        return (logits / self._temperature).softmax(1)

    @torch.inference_mode()
    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Return the probabilities of faces, float32, N×labels."""
        return self(torch.from_numpy(faces)).numpy()


def face_shape(config: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of one stored face, S×S (grey) or S×S×3 (RGB), for the config of a model."""
    size = config["face_size"]
    return (size, size) if config["channels"] == 1 else (size, size, 3)
