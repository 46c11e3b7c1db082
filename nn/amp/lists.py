"""Which operations run in which type under autocast: PyTorch's lists, by the names that users know."""

from __future__ import annotations

__all__ = ["AS_INPUT", "LOW", "PLAIN", "PROMOTED", "WIDE", "WIDE_ON_CUDA"]

# Names in nn.functional, of the package, of Tensor's methods, and (with a dot) in linalg and fft.

# In the lower type: products, where it pays and errors average out
LOW = (
    "addbmm", "addmm", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "linalg.vecdot", "linear", "matmul", "mm", "prelu",
    "scaled_dot_product_attention",
)  # fmt: skip

# In float32: losses and what loses its digits
WIDE = (
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "cdist", "cholesky", "cholesky_inverse", "cholesky_solve",
    "cosine_embedding_loss", "cross_entropy", "ctc_loss", "fractional_max_pool2d", "fractional_max_pool3d",
    "geqrf", "grid_sample", "grid_sampler_2d", "grid_sampler_3d", "hinge_embedding_loss",
    "huber_loss", "inverse", "kl_div", "l1_loss", "linear_cross_entropy", "lu_solve", "margin_ranking_loss",
    "max_unpool1d", "max_unpool2d", "max_unpool3d", "mse_loss", "multi_margin_loss", "multilabel_margin_loss",
    "nanquantile", "nll_loss", "orgqr", "ormqr", "poisson_nll_loss", "polar", "prod", "qr", "quantile",
    "smooth_l1_loss", "soft_margin_loss", "stft", "svd", "trace", "triangular_solve", "triplet_margin_loss",
    "view_as_complex",
    "fft.fft", "fft.fft2", "fft.fftn", "fft.hfft", "fft.hfft2", "fft.hfftn", "fft.ifft", "fft.ifft2", "fft.ifftn",
    "fft.ihfft", "fft.ihfft2", "fft.ihfftn", "fft.irfft", "fft.irfft2", "fft.irfftn", "fft.rfft", "fft.rfft2",
    "fft.rfftn",
    "linalg.cholesky", "linalg.cholesky_ex", "linalg.cond", "linalg.eig", "linalg.eigh", "linalg.eigvals",
    "linalg.eigvalsh", "linalg.householder_product", "linalg.inv", "linalg.inv_ex", "linalg.lstsq", "linalg.qr",
    "linalg.solve", "linalg.svd", "linalg.svdvals", "linalg.tensorinv", "linalg.tensorsolve",
)  # fmt: skip

# On CUDA also these
WIDE_ON_CUDA = (
    "acos", "asin", "cosh", "cosine_similarity", "cumprod", "cumsum", "dist", "erfinv", "exp", "expm1", "group_norm",
    "layer_norm", "log", "log10", "log1p", "log2", "log_softmax", "logsumexp", "norm", "pdist", "pow", "reciprocal",
    "renorm", "rsqrt", "sinh", "softmax", "softmin", "softplus", "sum", "tan",
)  # fmt: skip

# In the widest type among their inputs
PROMOTED = ("cat", "index_copy", "stack")

# As they are, though products are within
PLAIN = (
    "addbmm_", "addmm_", "addmv", "addmv_", "affine_grid", "baddbmm_", "bilinear", "dot", "local_response_norm",
    "matrix_exp", "matrix_power", "mv", "vdot", "linalg.matrix_exp", "linalg.matrix_power",
)  # fmt: skip

# Parameters stay in float32, the result has the input's type
AS_INPUT = ("batch_norm", "instance_norm", "layer_norm")
