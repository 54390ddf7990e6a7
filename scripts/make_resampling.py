"""Makes the graphs that resample crops where no OpenCV is installed: src/fear/media/pixels/*.onnx. Needs onnx.

Each takes a patch of pixels. src/fear/media/pixels/resampling.py says which is for which windows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

FOLDER = Path(__file__).parents[1] / "src/fear/media/pixels"
OPERATORS, FORMAT = 18, 9  # of 2022, which ONNX Runtime 1.14 and later read
SIZES = helper.make_tensor_value_info("sizes", TensorProto.INT64, [4])
REGION = helper.make_tensor_value_info("region", TensorProto.FLOAT, [8])
TO_PLANES = (
    helper.make_node("Transpose", ["patch"], ["planes"], perm=[0, 3, 1, 2]),
    helper.make_node("Cast", ["planes"], ["floats"], to=TensorProto.FLOAT),
)
FROM_PLANES = (
    helper.make_node("Round", ["resized"], ["rounded"]),
    helper.make_node("Cast", ["rounded"], ["bytes"], to=TensorProto.UINT8),
    helper.make_node("Transpose", ["bytes"], ["crop"], perm=[0, 2, 3, 1]),
)


def _resize(source: str, region: str, result: str, transformation: str) -> onnx.NodeProto:
    return helper.make_node("Resize", [source, region, "", "sizes"], [result], mode="linear", coordinate_transformation_mode=transformation)


def resize_planar() -> onnx.ModelProto:
    """Turns the pixels into planes of floats and back."""
    return _model((*TO_PLANES, _resize("floats", "", "resized", "half_pixel"), *FROM_PLANES), (SIZES,))


def resize() -> onnx.ModelProto:
    """Works on the pixels as they lie."""
    return _model((_resize("patch", "", "crop", "half_pixel"),), (SIZES,))


def sample() -> onnx.ModelProto:
    """As `resize`, from anywhere within the patch."""
    return _model((_resize("patch", "region", "crop", "tf_crop_and_resize"),), (REGION, SIZES))


def _model(nodes: Sequence[onnx.NodeProto], inputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
    patch = helper.make_tensor_value_info("patch", TensorProto.UINT8, [1, "height", "width", 3])
    crop = helper.make_tensor_value_info("crop", TensorProto.UINT8, [1, "rows", "columns", 3])
    graph = helper.make_graph(nodes, "resample", [patch, *inputs], [crop])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATORS)], ir_version=FORMAT, producer_name="fear-tracker")


def main(folder: Path) -> None:
    """Writes all of them."""
    for make in (resize, resize_planar, sample):
        model = make()
        onnx.checker.check_model(model)
        (folder / f"{make.__name__}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
