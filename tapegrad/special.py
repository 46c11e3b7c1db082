"""Special functions (``torch.special``)."""

from .autograd import PUBLIC as _public
from .autograd.ops.bessel import *  # noqa: F403
from .autograd.ops.bessel import __all__ as _own

# Their names here, and in the package
_SHARED = {
    "digamma": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp2": "exp2", "expit": "sigmoid",
    "expm1": "expm1", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma", "i0": "i0", "log1p": "log1p",
    "log_softmax": "log_softmax", "logit": "logit", "logsumexp": "logsumexp", "multigammaln": "mvlgamma",
    "polygamma": "polygamma", "psi": "digamma", "round": "round", "sinc": "sinc", "softmax": "softmax",
    "xlogy": "xlogy",
}  # fmt: skip
globals().update({name: _public[there] for name, there in _SHARED.items()})

__all__ = [*_own, *(name for name in _SHARED if name not in _own)]
