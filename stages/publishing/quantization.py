"""A version of an exported network that computes in 8-bit integers.

Static quantisation with one scale for each channel of the weights; the ranges of the activations lose the least
information on real faces (Migacz, 8-bit inference with TensorRT, GTC 2017).
"""

import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

MIN_GAIN = 1.2  # times as fast as float32: above what times vary, so that the same machine decides the same
MAX_DROP = 0.01  # of macro-F1
CHUNK = 16  # faces whose activations are in memory at a time
# Not the preprocessing and the softmax, whose outputs need more than 256 levels.
OPERATORS = ["Add", "AveragePool", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "MaxPool"]


def write_quantized(source: Path, faces: np.ndarray, target: Path) -> None:
    """Write a quantised version of an ONNX file; the same faces give the same bytes.

    Args:
        source: the file that `write_onnx` wrote.
        faces: faces by which the ranges of the activations are chosen, uint8, N×S×S or N×S×S×3.
        target: the file to write. Weights have seven bits: products of eight bits overflow on older CPUs.
    """
    import onnx  # without which onnxruntime.quantization cannot be imported; an optional extra
    from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.getLogger().setLevel(logging.ERROR)  # ONNX Runtime logs advice to the root logger
    with TemporaryDirectory() as temporary, redirect_stdout(io.StringIO()):  # and it prints a line for each chunk
        prepared = Path(temporary) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared, target, _Faces(faces), op_types_to_quantize=OPERATORS, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.Entropy,
            extra_options={"CalibStridedMinMax": 1},
        )  # fmt: skip
    model = onnx.load(target)
    del model.metadata_props[:]
    model.metadata_props.extend(onnx.load(source).metadata_props)
    onnx.save(model, target)


def left_out(milliseconds: dict[str, float], macro_f1: dict[str, float]) -> str | None:
    """Return why the quantised file should be left out, or None if it is worth having.

    Args:
        milliseconds: time for one face by `onnx` and by `int8`.
        macro_f1: of both on the validation faces, 0 to 1.
    """
    gain, drop = milliseconds["onnx"] / milliseconds["int8"], macro_f1["onnx"] - macro_f1["int8"]
    if gain < MIN_GAIN:
        return f"{gain:.2f} times as fast as float32; at least {MIN_GAIN} are needed"
    if drop > MAX_DROP:
        return f"macro-F1 on the validation faces is lower by {drop:.3f}; at most {MAX_DROP} are allowed"
    return None


class _Faces:
    """The faces in chunks, which ONNX Runtime reads one by one; its CalibrationDataReader has the same methods."""

    def __init__(self, faces: np.ndarray) -> None:
        self._chunks = [faces[start : start + CHUNK] for start in range(0, len(faces), CHUNK)]
        self._range: Iterator[np.ndarray] = iter(())

    def __len__(self) -> int:
        return len(self._chunks)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._range = iter(self._chunks[start_index:end_index])

    def get_next(self) -> dict[str, np.ndarray] | None:
        chunk = next(self._range, None)
        return None if chunk is None else {"faces": chunk}
