"""Check params.yaml before anything else runs → data/checked.txt, data/architectures/, data/fingerprints/.

    python -m stages.check

It refuses what would otherwise fail after minutes or hours: unknown keys and names, impossible values, sections that
contradict each other, networks that do not take images of the given size, and too few drawn faces. data/checked.txt is
always the same: the first stages depend on it, so that they wait for this one without running again after it.
data/architectures/<model>.json names the code of each model's architecture by its hash: training depends on that file,
so that a new architecture does not retrain the other models. data/fingerprints/<source>.json is what `download` depends
on: constant for the demo and Kaggle; for local archives, the stage in data/dvc.yaml writes it.
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import sha256, write_json
from stages.base.suggestions import suggestion
from stages.curation.demo_split import check_demo
from stages.models.registry import architecture_file, architecture_names
from stages.params.complete import Params
from stages.params.models import recipe


def main() -> None:
    """Check the file and write the two outputs."""
    params = Params.load()
    names = architecture_names()
    architectures = {model: recipe(model, params.train, params.models).arch for model in params.models}
    for model, arch in architectures.items():
        if not arch.startswith("timm/") and arch not in names:
            raise InputError(
                f"params.yaml: models.{model}: no architecture is called {arch!r}{suggestion(arch, names)}; "
                "those of the timm library are called timm/<name>"
            )
    if params.data.source == "demo":
        check_demo(params.data, params.sources.demo, params.split, [params.split.fold])

    from stages.models.feasibility import check_network  # imports torch: only once everything else is right

    check_network(params.recipe, params.data)
    with atomic_output(Path("data/architectures")) as folder:
        folder.mkdir()
        for model, arch in architectures.items():
            code = None if arch.startswith("timm/") else sha256(architecture_file(arch))
            write_json({"architecture": arch, "sha256": code}, folder / f"{model}.json")
    for source in ("demo", "kaggle"):
        write_json({}, Path(f"data/fingerprints/{source}.json"))
    with atomic_output(Path("data/checked.txt")) as path:
        path.write_text("params.yaml is valid\n")


if __name__ == "__main__":
    guard(main)
