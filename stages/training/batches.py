"""From rows of the training faces to what the network sees: distorted, erased, mixed images and soft targets."""

from torch import Generator, Tensor

from stages.base.params import Train
from stages.models.inputs import Inputs, to_images
from stages.training.augmentation import distort


class Batches:
    """Makes batches by a recipe's `strength`, `erasing`, `mixup`, `cutmix` and `label_smoothing`."""

    def __init__(self, recipe: Train, inputs: Inputs, classes: int, device: str) -> None:
        from timm.data.mixup import Mixup, mixup_target  # two seconds
        from timm.data.random_erasing import RandomErasing

        self._inputs, self._strength = inputs, recipe.strength
        self._erase = RandomErasing(recipe.erasing, mode="pixel", device=device) if recipe.erasing else None
        if recipe.mixup or recipe.cutmix:
            self._mix = Mixup(recipe.mixup, recipe.cutmix, label_smoothing=recipe.label_smoothing, num_classes=classes)
        else:
            self._mix = lambda images, targets: (
                images,
                mixup_target(targets, classes, smoothing=recipe.label_smoothing),
            )

    def __call__(self, faces: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Images B×C×size×size and probabilities B×classes, for uint8 faces B×H×W(×3) and their classes, int64 B.

        Random erasing is after Zhong et al. (2020), mixup after Zhang et al. (2018), cutmix after Yun et al. (2019),
        smoothing after Szegedy et al. (2016).
        """
        images = self._inputs.normalise(distort(to_images(faces), self._inputs.size, self._strength, generator))
        if self._erase:
            images = self._erase(images)
        return self._mix(images, targets)
