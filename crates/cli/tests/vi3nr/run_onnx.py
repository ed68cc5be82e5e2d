"""Evaluates all ONNX files of a folder with ONNX Runtime. Usage: run_onnx.py FOLDER POINTS

POINTS has little-endian float32 numbers, the coordinates of points; the values of NAME.onnx go to
NAME.values in the same form. Where the package onnx is installed, it checks the files as well.
"""
import pathlib, sys
import numpy as np
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

points = np.fromfile(sys.argv[2], "<f4")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    if onnx:
        onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    assert (source.name, source.shape[0], source.type) == ("coordinates", "n", "tensor(float)")
    assert (target.name, target.shape[0], target.type) == ("values", "n", "tensor(float)")
    (values,) = session.run(None, {"coordinates": points.reshape(-1, source.shape[1])})
    values.astype("<f4").tofile(path.with_suffix(".values"))
