"""The network that a training starts from."""

from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from stages.base.errors import InputError
from stages.base.params import Train
from stages.models import build
from stages.models.folder import CONFIG, WEIGHTS
from stages.training.start import start


def starting(recipe: Train, labels: list[str], channels: int, size: int, place: str) -> nn.Module:
    """The recipe's architecture for images of `channels`×size×size, with the weights that its `init` names.

    random: fresh ones. imagenet: those learned on ImageNet. Else those of a model of ours, in a folder, or at `place`
    in a git revision of this repository, as DVC keeps it; what was fitted or left fresh is said.
    Raises InputError where the weights cannot be had.
    """
    network = build(recipe.arch, len(labels), channels, size, recipe.dropout, recipe.init == "imagenet")
    if recipe.init not in ("random", "imagenet"):
        with TemporaryDirectory() as temporary:
            folder = Path(recipe.init)
            if not folder.is_dir():
                folder = _at_revision(recipe.init, place, Path(temporary) / "model")
            for note in start(network, recipe.arch, labels, folder):
                print(f"{recipe.init}: {note}")
    return network


def _at_revision(revision: str, place: str, folder: Path) -> Path:
    """The model in the folder `place` at a git revision, fetched into `folder`."""
    from dvc.api import DVCFileSystem  # a second, for those who ask for it
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        files = DVCFileSystem(rev=revision)
        folder.mkdir()
        for name in (CONFIG, WEIGHTS):
            files.get_file(f"{place}/{name}", str(folder / name))
    except (DvcException, SCMError, OSError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"train.init: {revision!r} is neither random, imagenet, a folder, nor a git revision or "
                         f"experiment whose {place} is here ({why[:200]}); try `dvc pull`") from None
    return folder
