"""Batches of augmented faces: the inputs and the targets of a network in training."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Generator, Tensor

from stages.models.preprocessing import Inputs, to_images
from stages.params.train import Train
from stages.training import augmentation, distributed, erasing, mixing
from stages.training.dataset import LabelledFaces
from stages.training.seeding import Purpose, combine_seeds

# Bytes of images that are augmented at once: on a CPU as many as its cache holds, on a GPU as many as keep it busy.
CHUNK_BYTES = {"cpu": 2**21, "cuda": 2**28, "mps": 2**27}

MicroBatches = list[tuple[Tensor, Tensor]]


class Batches:
    """Makes the batches of a training as its recipe says: `augment`, `erase`, `mix`, label smoothing, teachers.

    Several batches are augmented at once, because many small tensor operations keep a GPU waiting. The random numbers
    of a whole epoch are drawn at its start and on the CPU, so that (but for the noise in erased rectangles) they are
    the same on every device, with any number of processes, and after a restart in the middle of the epoch.

    Label smoothing is that of Szegedy et al., Rethinking the Inception architecture, CVPR 2016.

    Args:
        faces: the training faces; their targets are on the device to train on.
        inputs: the preprocessing of the network.
        classes: number of classes.
        recipe: the training recipe.
        seed: seed of the run.
        taught: the probabilities of the teachers, float32, N×classes, on the device to train on.
    """

    def __init__(
        self,
        faces: LabelledFaces,
        inputs: Inputs,
        classes: int,
        recipe: Train,
        seed: int,
        taught: Tensor | None = None,
    ) -> None:
        self._faces, self._inputs, self._recipe, self._seed, self._taught = faces, inputs, recipe, seed, taught
        self._device = faces.targets.device
        self._noise = Generator(self._device)
        smoothing = recipe.label_smoothing
        even = torch.full((classes, classes), smoothing / classes, device=self._device)
        self._probabilities = even.fill_diagonal_(1 - smoothing + smoothing / classes)  # of each class

    def micro_batches(self, positions: Tensor) -> Tensor:
        """Return this process's share of …×steps×batch size positions in batches: …×steps×accumulation×b."""
        count = self._recipe.accumulation
        return distributed.local_share(positions.unflatten(-1, (count, self._recipe.batch_size // count)))

    def epoch(self, number: int, positions: Tensor, done: int = 0) -> Iterator[MicroBatches]:
        """Yield the batches of an epoch.

        Args:
            number: number of the epoch.
            positions: of the faces in all batches, int64, steps×batch size, on the CPU.
            done: number of batches that are left out at the start.

        Yields:
            For each step the micro-batches of this process. Each has normalised images, float32, b×C×size×size, in
            channels-last memory format, and target probabilities, float32, b×classes.
        """
        rows = self.micro_batches(positions)
        steps, parts, count = rows.shape
        if done == steps:  # interrupted during the validation
            return
        at_once = max(1, CHUNK_BYTES[self._device.type] // (parts * count * self._bytes_per_face()))  # steps
        first = done // at_once * at_once
        recipe, drawn = self._recipe, self._draw(number, positions)
        chosen = rows[first:].flatten()
        chunks = self._faces.read(chosen, at_once * parts * count)
        chosen_chunks = chosen.split(at_once * parts * count)
        for start, (faces, targets), rows_here in zip(range(first, steps, at_once), chunks, chosen_chunks, strict=True):
            here = slice(start * parts * count, (start + at_once) * parts * count)
            images = augmentation.augment(to_images(faces), self._inputs.size, drawn[Purpose.DISTORTION][:, here])
            images, probabilities = self._inputs.normalise(images), self._probabilities[targets]
            if self._taught is not None:
                probabilities = probabilities.lerp(self._taught[rows_here.to(self._device)], recipe.teachers_share)
            if recipe.erasing:
                self._noise.manual_seed(combine_seeds(self._seed, Purpose.NOISE, number, start, distributed.rank()))
                images = erasing.erase(images, drawn[Purpose.ERASING][:, here], self._noise)
            if recipe.mixup or recipe.cutmix:
                mixture = drawn[Purpose.MIXING][:, start * parts : (start + at_once) * parts]
                images, probabilities = mixing.mix(images, probabilities, mixture)
            micro_batches = list(zip(images.split(count), probabilities.split(count), strict=True))
            for step in range(max(done - start, 0), len(micro_batches) // parts):
                yield micro_batches[step * parts : (step + 1) * parts]

    def _bytes_per_face(self) -> int:
        return 4 * len(self._inputs.mean) * self._inputs.size**2

    def _draw(self, epoch: int, positions: Tensor) -> dict[Purpose, Tensor]:
        """Return the random numbers of an epoch, for this process's faces in the order of its batches."""
        recipe, drawn = self._recipe, {}
        generator = Generator().manual_seed(combine_seeds(self._seed, Purpose.DISTORTION, epoch))
        drawn[Purpose.DISTORTION] = augmentation.draw(positions.shape, recipe.strength, generator)
        if recipe.erasing:
            generator.manual_seed(combine_seeds(self._seed, Purpose.ERASING, epoch))
            drawn[Purpose.ERASING] = erasing.draw(positions.shape, recipe.erasing, self._inputs.size, generator)
        drawn = {purpose: self.micro_batches(numbers).flatten(1) for purpose, numbers in drawn.items()}
        if recipe.mixup or recipe.cutmix:
            rng = np.random.default_rng([self._seed, Purpose.MIXING, epoch])
            batches = len(positions) * recipe.accumulation  # the same mixtures in all processes
            drawn[Purpose.MIXING] = mixing.draw(recipe.mixup, recipe.cutmix, batches, rng)
        return {purpose: numbers.to(self._device) for purpose, numbers in drawn.items()}
