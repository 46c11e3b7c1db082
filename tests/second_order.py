"""Every differentiable public operation as an expression of ``lib`` (tapegrad or PyTorch), ``F`` and named inputs."""

from __future__ import annotations

import re

from tapegrad.autograd import PUBLIC, RULES

from . import second_order_layers

__all__ = ["EXPRESSIONS", "FLAT", "INPUTS", "called", "inputs_of", "value_of"]

# Away from the kinks of absolute values, roundings, maxima and sorting.
INPUTS = {
    "a": [[0.7, -1.3, 2.1], [0.4, 1.9, -0.6]],
    "b": [[1.2, 0.5, -0.8], [-1.1, 0.3, 2.2]],
    "p": [[0.7, 1.3, 2.1], [0.4, 1.9, 0.6]],
    "q": [[1.2, 0.5, 0.8], [1.1, 0.3, 2.2]],
    "u": [[0.15, 0.35, 0.62], [0.85, 0.55, 0.27]],
    "v": [[0.45, 0.75, 0.32], [0.25, 0.65, 0.87]],
    "m": [[1.4, 2.2], [1.7, 3.1]],
    "s": [[0.7, -1.3], [0.4, 1.9]],
    "t": [[[0.7, -1.3], [0.4, 1.9]], [[1.1, 0.2], [-0.6, 0.8]]],
    "x": [0.5, -1.5, 2.5],
    "y": [1.25, 0.75, -0.5],
    "n": 1.5,
    "z": [[0.6 + 0.8j, -1.2 + 0.3j], [0.4 - 0.9j, 1.1 + 0.7j]],
    "w": [[0.9 - 0.4j, 0.2 + 1.1j], [-0.7 + 0.5j, 0.8 + 0.3j]],
    **second_order_layers.INPUTS,
}

# More than one call in a line is joined by "|".
WRITTEN = """
lib.cdist(m, s) | lib.cholesky(m @ m.T) | lib.cholesky_inverse(lib.tril(m)) | lib.det(m * s)
lib.cholesky_solve(s, lib.tril(m)) | lib.constant_pad_nd(a * b, (1, 1)) | lib.cumulative_trapezoid(a * b) | lib.diff(a * b)
lib.gradient(x * y)[0] | lib.i0(a) | lib.inverse(m * s) | lib.logdet(m @ m.T) | lib.matrix_exp(s * 0.3) | lib.matrix_power(s, 3)
lib.pinverse(m * s) | lib.slogdet(m * s)[1] | lib.svd(m * s)[1] | lib.trapezoid(a * b) | lib.trapz(a * b)
lib.pow(p, b) | lib.pow(a, 3) | lib.pow(2.0, b) | p ** n | lib.acosh(m) | lib.arccosh(m) | lib.where(a > 0, a, b)
lib.add(a, x, alpha=2) | lib.sub(a, n, alpha=3) | lib.div(a, q, rounding_mode='trunc') + a * q | a / 2 + 3 - a * n
lib.fmod(a, q) * a | lib.remainder(a, q) * b | lib.clamp(a, -1, 1) * a | lib.clamp(a, b, p + 2) | lib.clip(a, max=1.0) * a
lib.clamp_max(a, 1.0) * a | lib.clamp_min(a, n) * a | lib.polygamma(1, p) | lib.floor_divide(a, q) * a
lib.addcdiv(a, b, q, value=0.5) | lib.addcmul(a, b, p, value=2) | lib.lerp(a, b, 0.3) | lib.lerp(a, b, p) | lib.rsub(a, b, alpha=2)
lib.adjoint(z) @ w | lib.angle(z) * lib.angle(w) | lib.complex(s, m) * z | lib.conj_physical(z) * w | lib.imag(z) * lib.real(w)
lib.polar(m, s) | lib.resolve_conj(z.conj()) * w | lib.resolve_neg(z) * w | lib.view_as_complex(t * t) * z | lib.view_as_real(z * w)
lib.gather(a * b, 1, lib.tensor([[0, 2], [1, 1]])) | lib.index_select(a * b, 1, lib.tensor([2, 0, 2])) | (a * b)[1, [0, 2]]
lib.masked_fill(a * b, a > 0, n) | lib.masked_select(a * b, a > 0) | (a * b)[lib.tensor([[1, 0], [0, 0]])]
lib.atleast_1d(n * n) | lib.atleast_2d(x * y) | lib.atleast_3d(a * b) | lib.block_diag(s * s, x) | lib.broadcast_tensors(a * n, x * x)
lib.cartesian_prod(x * x, y) | lib.column_stack([x * y, x]) | lib.combinations(x * y) | lib.dstack([a * b, b]) | lib.hstack([a * b, b])
lib.meshgrid(x * x, y * y, indexing='ij') | lib.row_stack([a * b, b]) | lib.vstack([a * b, b])
lib.addmm(s, m, s, beta=0.5, alpha=2) | lib.bmm(t, t) | lib.dot(x, y) | lib.matmul(a, b.T) | a @ x | lib.mm(s, m) | lib.mv(a, x)
lib.outer(x, y) | lib.ger(x, y) | lib.diag(x * y) | lib.diag_embed(a * b) | lib.diagflat(x * y) | lib.dsplit(t * t, 2) | lib.fliplr(a * b)
lib.flipud(a * b) | lib.hsplit(s * m, 2) | lib.moveaxis(t * t, 0, 2) | lib.narrow_copy(a * b, 1, 1, 2) | lib.ravel(a * b)
lib.repeat_interleave(x * y, 2) | lib.rot90(a * b) | lib.split_with_sizes(a * b, [1, 2], 1) | lib.swapdims(a * b, 0, 1)
lib.tensor_split(a * b, 2, 1) | lib.tile(a * b, (2, 2)) | lib.trace(s * m) | lib.unsafe_chunk(a * b, 2) | lib.unsafe_split(a * b, 1)
lib.unsafe_split_with_sizes(a * b, [1, 1]) | lib.vsplit(a * b, 2) | lib.amax(a * b, 1) | lib.amin(a * b) | lib.cumsum(a * b, 1)
lib.log_softmax(a * b, 1) | lib.logsumexp(a * b, 1) | lib.max(a * b) | lib.max(a * b, 1) | lib.mean(a * b, 0) | lib.min(a * b, 0)
lib.norm(a * b) | lib.norm(a, 3, 1) | lib.prod(a) | lib.prod(a, 1, keepdim=True) | lib.softmax(a * b, 0) | lib.sort(a * b, 1)
lib.std(a, 1) | lib.sum(a * b, 1, keepdim=True) | lib.sum(a * b) | lib.topk(a * b, 2) | lib.var(a) | lib.var(a, 0, correction=0)
lib.index_add(a * b, 1, lib.tensor([2, 0, 2]), b * b) | lib.index_copy(a * b, 1, lib.tensor([2, 0, 1]), b * b)
lib.index_fill(a * b, 1, lib.tensor([1]), 0.0) | lib.index_put(a * b, (lib.tensor([1, 0]),), x * y, accumulate=True)
lib.index_reduce(p * q, 1, lib.tensor([0, 0, 2]), q, 'prod') | lib.masked_scatter(a * b, a > 0, b * b)
lib.put(a * b, lib.tensor([1, 4, 0]), x * y) | lib.scatter(a * b, 1, lib.tensor([[0, 2], [1, 0]]), s * s)
lib.scatter_add(a * b, 1, lib.tensor([[0, 0], [1, 0]]), s * s) | lib.scatter_reduce(a * b, 1, lib.tensor([[0, 0], [1, 2]]), s, 'mean')
lib.take(a * b, lib.tensor([5, 0, 0])) | lib.take_along_dim(a * b, lib.tensor([[0], [2]]), 1) | lib.broadcast_to(x * y, (2, 3))
lib.cat([a * b, b], 1) | lib.concat([a * b, b]) | lib.concatenate([a * b, b], 1) | lib.chunk(a * b, 2, 1) | (a * b).T.contiguous() * p.T
lib.diagonal(t * t, 0, 1, 2) | (x * y).expand(2, 3) * a | lib.flatten(t * t, 1) | lib.flip(a * b, (0,)) | lib.movedim(t * t, 0, 1)
lib.narrow(a * b, 1, 0, 2) | F.pad(a * b, (1, 0), value=2.0) | lib.permute(t * t, (2, 0, 1)) | (a * b).repeat(2, 1) | lib.reshape(a * b, (3, 2))
lib.roll(a * b, 1, 1) | lib.select(a * b, 1, 0) | lib.split(a * b, 2, 1) | lib.squeeze(n * n * x[:1]) | lib.stack([a * b, b], 1) | lib.t(a * b)
lib.transpose(a * b, 0, 1) | lib.tril(a * b) | lib.triu(a * b, 1) | lib.unbind(a * b) | lib.unflatten(a * b, 1, (3, 1))
lib.unsqueeze(a * b, 0) | (a * b).view(6) * n | lib.kthvalue(a * b, 2, 1) | lib.msort(a * b) | lib.as_strided(a * b, (2, 2), (1, 1))
lib.as_strided_scatter(a * b, s * s, (2, 2), (3, 1)) | lib.diagonal_scatter(s * m, x[:2] * n) | lib.select_scatter(a * b, x * y, 0, 1)
lib.slice_scatter(a * b, s * s, 1, 0, 2) | lib.einsum('ij,kj->ik', a, b) | lib.einsum('ij,j,i->', s, x[:2], y[:2])
lib.addbmm(s, t, t, alpha=2) | lib.addmv(x[:2], a, y) | lib.addr(a, x[:2], y) | lib.baddbmm(t, t, t, beta=2) | lib.chain_matmul(a, b.T, p)
lib.cross(a, b, dim=1) | lib.inner(a, b) | lib.kron(s, m) | lib.tensordot(a, b, 2) | lib.vander(x * y) | lib.vdot(x, y) | lib.vdot(z[0], w[1])
lib.deg2rad(a * b) | lib.digamma(p) | lib.exp2(a) | lib.fill(a * b, n) | lib.float_power(p, b) | lib.fmax(a, b) * a | lib.fmin(a, b) * b
lib.frac(a) * b | lib.frexp(a).mantissa * a | lib.ldexp(a * b, lib.tensor([1.0, -2.0, 3.0])) | lib.logaddexp2(a, b) | lib.logit(u)
lib.mvlgamma(p + 2, 2) | lib.nan_to_num(a * b) | lib.positive(a * b) * a | lib.rad2deg(a * b) | lib.sinc(a) | lib.aminmax(a * b)
lib.corrcoef(a) | lib.cov(a) | lib.cummax(a * b, 1) | lib.cummin(a * b, 0) | lib.cumprod(a, 1) | lib.dist(a, b) | lib.dist(a, b, 3)
lib.logcumsumexp(a, 1) | lib.median(a * b) | lib.median(a * b, 1) | lib.mode(a * b, 1) | lib.nanmean(a * b) | lib.nanmedian(a * b, 0)
lib.nanquantile(a * b, 0.4) | lib.nansum(a * b, 1) | lib.quantile(a * b, 0.3, 1) | lib.renorm(a, 2, 0, 1.0) | lib.std_mean(a, 1) | lib.var_mean(a)
lib.alias_copy(a * b) | lib.as_strided_copy(a * b, (2, 2), (1, 1)) | lib.diagonal_copy(s * m) | lib.expand_copy(x * y, (2, 3))
lib.permute_copy(a * b, (1, 0)) | lib.select_copy(a * b, 0, 1) | lib.split_copy(a * b, 1) | lib.split_with_sizes_copy(a * b, [1, 1])
lib.squeeze_copy(a[:1] * n) | lib.t_copy(a * b) | lib.transpose_copy(a * b, 0, 1) | lib.unbind_copy(a * b) | lib.unfold_copy(a * b, 1, 2, 1)
lib.unsqueeze_copy(a * b, 0) | lib.view_copy(a * b, (6,)) | lib.clone(a * b) * a | lib.swapaxes(a * b, 0, 1) | (a * b).unfold(1, 2, 1)
lib.igamma(lib.tensor([0.7, 1.3, 2.1], dtype=lib.float64), q) | lib.igammac(lib.tensor([0.7, 1.3, 2.1], dtype=lib.float64), q)
lib.arctan2(a, b) | lib.multiply(a, b) | lib.subtract(a * b, b) | lib.divide(a, b) | lib.true_divide(a, b) | lib.absolute(a) * a | lib.fix(a) * a
lib.arcsin(u) | lib.arccos(u) | lib.arctan(a) | lib.arcsinh(a) | lib.arctanh(u) | lib.negative(a) * b
(a * 1).mul_(b) | (p * 1).sqrt_() | (a * 1).exp_() * a | (a * 1).clamp_(-1, 1) * b | (a * 1).addcmul_(a, b) | (s * 1).t_().mul_(m)
(a * 1).index_add_(0, lib.tensor([1]), (x * y)[None]) | (a * 1).masked_fill_(a > 0, 2.0) * b | (a * 1).copy_(x * y) * a | written(a * 1, 0, x * y) * a
F.linear(a, b, x[:2]) | F.dropout(a * b, 0.5, False) | F.gelu(a) | F.gelu(a, approximate='tanh') | F.leaky_relu(a * b) | F.logsigmoid(a)
F.relu(a * b) | F.sigmoid(a) | F.tanh(a) | F.silu(a) | F.softmax(a, 1) | F.log_softmax(a, 1) | F.softplus(a, 2.0) | F.mse_loss(a, b)
F.l1_loss(a * b, b) | F.huber_loss(a, b, delta=0.7) | F.smooth_l1_loss(a, b, beta=0.7) | F.binary_cross_entropy(u, v)
F.binary_cross_entropy_with_logits(a, v) | F.cross_entropy(a, lib.tensor([2, 0])) | F.cross_entropy(a, v)
F.cross_entropy(a, lib.tensor([2, 0]), label_smoothing=0.2) | F.nll_loss(a * b, lib.tensor([2, 0]))
z * w | z / w | z ** 3 | z ** w | lib.abs(z) | lib.sgn(z) * w | z.exp() | z.log() | z.sqrt() * w | z.sin() | z.tanh() | lib.matmul(z, w)
z.sum(0) * w[0] | z.prod(1) | z.mean() * w | lib.cumsum(z * w, 0) | z.conj() * w | lib.where(z.real > 0, z * z, w) | (z * s).abs() | s * w + m
z[0] * w[:, 1] | lib.cat([z * w, w]) | lib.norm(z) | z.var() | lib.einsum('ij,kj->ik', z, w.conj()) | F.linear(z, w) | lib.reciprocal(z) * w
"""  # noqa: E501

# What has no derivative: comparisons, indices, random numbers, what makes tensors.
FLAT = frozenset(
    """
    bartlett_window blackman_window empty_permuted hamming_window hann_window histogramdd is_inference isin
    kaiser_window
    allclose arange argmax argmin argsort argwhere as_tensor asarray bernoulli bincount binomial bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor broadcast_shapes bucketize count_nonzero
    empty empty_like
    empty_strided all any eq equal eye from_numpy frombuffer full full_like gcd ge greater greater_equal gt heaviside
    histc histogram is_conj is_neg is_same_size is_signed is_storage isclose isfinite isinf isnan isneginf isposinf
    isreal lcm le less less_equal linspace logical_and logical_not logical_or logical_xor logspace lt manual_seed
    multinomial ne nonzero nonzero_static normal not_equal ones ones_like rand rand_like randint randint_like randn
    randn_like randperm range scalar_tensor searchsorted signbit tensor tril_indices triu_indices typename unique
    unique_consecutive unravel_index zeros zeros_like detach gumbel_softmax one_hot nextafter poisson
    """.split()
)

EXPRESSIONS = [
    text.strip() for line in (WRITTEN + second_order_layers.WRITTEN).split("\n") if line for text in line.split(" | ")
]


def called(text: str) -> set[str]:
    """The public names that an expression calls as functions or methods."""
    names = set(re.findall(r"\.(\w+)\(", text))
    if re.search(r"[)\w]\[", text):
        names.add("getitem")
    if "written(" in text:
        names.add("setitem")
    return names


def _by_registration() -> list[str]:
    """A call of every element-wise primitive that no line above calls."""
    have = set().union(*map(called, EXPRESSIONS)) | FLAT
    return [
        f"lib.{name}({'u' if len(rule.inputs) == 1 else 'u, v'})"
        for name, rule in RULES.items()
        if name in PUBLIC and name not in have and rule.kind and rule.differentiable and not rule.attrs
    ]


EXPRESSIONS += _by_registration()


def inputs_of(text: str) -> list[str]:
    """The names of the inputs of an expression."""
    words = re.sub(r"'[^']*'|\.\w+|\w+=", " ", text)
    return [name for name in INPUTS if re.search(rf"\b{name}\b", words)]


def written(tensor: object, place: object, value: object) -> object:
    """The tensor after an assignment to a part of it."""
    tensor[place] = value
    return tensor


def halves(lib: object, x: object, n: int) -> object:
    """Draws that are all 1/2, for poolings whose windows are placed at random."""
    return lib.full((*x.shape[:2], n), 0.5, dtype=x.dtype)


def value_of(text: str, lib: object, given: list[object]) -> tuple[object, ...]:
    """The floating and complex results of an expression."""
    names = dict(zip(inputs_of(text), given, strict=True))
    out = eval(text, {"lib": lib, "F": lib.nn.functional, "written": written, "halves": halves, **names})
    several = tuple(out) if isinstance(out, (tuple, list)) else (out,)
    return tuple(y for y in several if y.is_floating_point() or y.is_complex())
