"""An ONNX model as a layer. onnxruntime computes, on the processor; it is loaded when the first picture comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ctmri_core.errors import ModelRefused

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_QUIET = 4  # fatal errors alone: others come as exceptions


class OnnxNetwork(nn.Module):
    """(n, c, h, w) float32 -> (n, c', h, w) float32, slice by slice: many models were exported for one at a time.

    `content`: the bytes of the model, which a model file holds like weights. Raises `ModelRefused` where onnxruntime is not
    installed, or does not take the model or the size of the pictures.
    """

    content: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("content", torch.zeros(size, dtype=torch.uint8))
        self._session: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}  # copies start a session of their own

    def forward(self, x: Tensor) -> Tensor:
        pictures = x.detach().float().cpu().contiguous().numpy()
        answers = [self._answer(picture) for picture in np.split(pictures, len(pictures))]
        return torch.from_numpy(np.concatenate(answers)).to(x.device)

    def _answer(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        session = self._session = self._session or _started(self.content)
        given = session.get_inputs()[0]
        errors = _errors()
        try:
            (answer, *_) = session.run(None, {given.name: picture.astype(_TYPES.get(given.type, np.float32))})
        except errors as error:
            size = " x ".join(map(str, picture.shape))
            raise ModelRefused(f"The ONNX model does not take a picture of {size} (slices, channels, rows, columns).") from error
        result: NDArray[np.float32] = np.asarray(answer, np.float32)
        if result.ndim != 4 or result.shape[0] != 1 or result.shape[2:] != picture.shape[2:]:
            raise ModelRefused(f"The ONNX model answers a picture of {list(picture.shape)} by {list(result.shape)}.")
        return result


def _started(content: Tensor) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = _QUIET
    try:
        return runtime.InferenceSession(content.cpu().numpy().tobytes(), options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        raise ModelRefused("onnxruntime cannot run this ONNX model; a newer program may have written it.") from error


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelRefused("ONNX models need the package onnxruntime, which is not installed here.") from error
    return onnxruntime


def _errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: classes of its own without a common base, and those of Python."""
    state = _runtime().capi.onnxruntime_pybind11_state
    names = (
        "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException", "InvalidProtobuf",
        "NotImplemented", "InvalidGraph", "EPFail",
    )  # fmt: skip
    return (*(getattr(state, name) for name in names if hasattr(state, name)), RuntimeError, ValueError, TypeError)
