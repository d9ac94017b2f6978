"""What tests share: drawn archives in the real layouts, a project folder of its own, stages as real processes."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two tests run at a time
os.environ["CUDA_VISIBLE_DEVICES"] = ""  # tests are the same on every machine; tests/speed/gpu is for a GPU

from helpers.browser import Browser
from helpers.project import Project
from stages.sources import demo

settings.register_profile("same-every-time", derandomize=True, database=None, deadline=None)
settings.load_profile("same-every-time")

# Where the tests run in the background, SIGINT is ignored, and so it would be by the processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`drawn(dataset, faces, layout)`: a folder with that demo archive; drawn once, to be read only."""
    made = {}

    def draw(dataset: str, faces: int = 70, layout: str = "csv") -> Path:
        key = dataset, faces, layout
        if key not in made:
            made[key] = tmp_path_factory.mktemp(dataset)
            demo.fetch(dataset, SimpleNamespace(faces=faces, layout=layout), made[key])
        return made[key]

    return draw


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where checkpoints are kept, for this process and those it starts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/facial-expression-recognition/checkpoints"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser with the network off; tests that ask for it are skipped where there is none."""
    with Browser.started() as browser:
        yield browser


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.copy(tmp_path / "project")
