"""Writing and opening ONNX files."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from stages.base.errors import InputError


def write_onnx(network: nn.Module, face_shape: tuple[int, ...], metadata: dict[str, str], path: Path) -> None:
    """Write a network as an ONNX file: input `faces`, output `probabilities`, with as many faces as are given.

    The same network gives the same bytes. Torch records where each operation stands in its source code; these records
    are removed, since they name folders of this machine.

    Args:
        network: maps uint8 faces, N×`face_shape`, to float32 N×labels; in evaluation mode on the CPU.
        face_shape: shape of one face.
        metadata: text by key, which the file carries.
        path: the file.

    Raises:
        InputError: the packages that write ONNX files are not installed.
    """
    try:
        import onnxscript  # noqa: F401 (torch needs it)
        from onnx_ir.passes.common import ClearMetadataAndDocStringPass
    except ImportError as error:
        raise InputError(f"the package {error.name} is not installed; pip install onnx onnxscript") from None
    faces = torch.zeros((2, *face_shape), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own code
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network, (faces,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("count")},), input_names=["faces"],
            output_names=["probabilities"], verbose=False,
        )  # fmt: skip
    assert program is not None  # it is only without dynamo
    ClearMetadataAndDocStringPass()(program.model)
    graph = program.model.graph
    for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
        value.metadata_props.clear()
    program.model.metadata_props.clear()
    program.model.metadata_props.update(metadata)
    program.save(path, external_data=False)


def open_onnx(path: Path, threads: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function of an ONNX file, from uint8 faces to float32 probabilities, computed on the CPU.

    Args:
        path: the file.
        threads: CPU threads; 0: one for each core.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda faces: session.run(None, {"faces": faces})[0]
