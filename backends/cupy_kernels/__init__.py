"""CUDA kernels: the text of each family, and the primitives that launch it."""

from .activations import ElementwiseKernels
from .adaptive_update import AdaptiveUpdateKernels
from .declare import DECLARED, CupyBuilder, Kernels
from .draws import DrawKernels
from .dropout import DropoutKernels
from .faults import Faults
from .linear import LinearKernels
from .loss import LossKernels
from .matmul import MatmulKernels
from .softmax import SoftmaxKernels
from .update import UpdateKernels

__all__ = [
    "DECLARED",
    "AdaptiveUpdateKernels",
    "CupyBuilder",
    "DrawKernels",
    "DropoutKernels",
    "ElementwiseKernels",
    "Faults",
    "Kernels",
    "LinearKernels",
    "LossKernels",
    "MatmulKernels",
    "SoftmaxKernels",
    "UpdateKernels",
]
