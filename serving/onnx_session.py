"""The one way to open an ONNX network: bounded threads, no spinning, errors that name the file."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from serving.errors import EngineLoadFailed
from serving.gpu.libraries import require_gpu

if TYPE_CHECKING:
    import onnx
    import onnxruntime

Device = Literal["cpu", "cuda"]
Session: TypeAlias = "onnxruntime.InferenceSession"
VERIFY = "python -m models verify"
"""The command that finds a damaged model."""
Patch = Callable[["onnx.ModelProto"], None]


def open_session(
    path: Path, *, threads: int = 1, device: Device = "cpu", patch: Patch | None = None
) -> "onnxruntime.InferenceSession":
    """The network in `path`; `patch` changes its graph in memory first. Raises EngineLoadFailed."""
    try:
        import onnxruntime

        model = str(path) if patch is None else _patched(path, patch)
    except ImportError as error:
        raise EngineLoadFailed(
            f"{path.name} needs a package that is not installed ({error}). Run: make setup"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A thread that spins while idle takes the core from other engines.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers, said = _cuda_providers(path.name) if device == "cuda" else (["CPUExecutionProvider"], "")
    try:
        session = onnxruntime.InferenceSession(model, sess_options=options, providers=providers)
    except Exception as error:
        raise EngineLoadFailed(f"{path.name} cannot be loaded: {error}. Check its files: {VERIFY}") from error
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        reason = said.splitlines()[0] if said else "see its log lines above"
        raise EngineLoadFailed(
            f"{path.name} is to run on the GPU, and onnxruntime cannot use CUDA ({reason}). Set this engine's device to cpu, "
            "or see `make doctor`."
        )
    return session


def _cuda_providers(name: str) -> tuple[list[Any], str]:
    """onnxruntime's providers for a GPU, and what it printed while loading CUDA and cuDNN from the Python packages."""
    import onnxruntime

    require_gpu(name)
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise EngineLoadFailed(
            "This onnxruntime has no CUDA. Set the engine's device to cpu, or install the GPU packages: make setup PROFILE=gpu"
        )
    with contextlib.redirect_stdout(io.StringIO()) as said:  # it prints which libraries it cannot find
        onnxruntime.preload_dlls()
    # An exhaustive search would be repeated for every new input length.
    cuda = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"})
    return [cuda, "CPUExecutionProvider"], said.getvalue()


def _patched(path: Path, patch: Patch) -> bytes:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path))
        patch(model)
        return bytes(model.SerializeToString())
    except (DecodeError, OSError, KeyError) as error:
        raise EngineLoadFailed(f"{path.name} cannot be read: {error}. Check its files: {VERIFY}") from error
