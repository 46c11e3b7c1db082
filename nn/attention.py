"""Multi-head attention as a module."""

from __future__ import annotations

from typing import Any

from ..autograd import P, Tensor
from ..autograd.ops.factories import empty
from ..backends.attention_kernels import SDPBackend, sdpa_kernel
from . import functional as F
from . import init
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention", "SDPBackend", "sdpa_kernel"]


class MultiheadAttention(Module):
    """Attention of several heads, with its projections (Vaswani et al., 2017).

    Args:
        embed_dim: E, the features of the query and of the result.
        num_heads: into how many heads they are split; divides E.
        dropout: the share of the attention weights that is dropped in training.
        bias: whether the projections have a bias.
        add_bias_kv: add a learned place to key and value.
        add_zero_attn: add a place of zeros to key and value.
        kdim, vdim: the features of key and value; E for None.
        batch_first: inputs and result are (N, L, E), not (L, N, E).
        device, dtype: of the parameters.

    Raises:
        ValueError: sizes that are not positive. AssertionError: E is no multiple of num_heads.

    Attributes:
        in_proj_weight: (3 E, E), of query, key and value one below the other; else None, and
        q_proj_weight, k_proj_weight, v_proj_weight: (E, E), (E, kdim), (E, vdim).
        in_proj_bias: (3 E,). out_proj: the linear layer at the end. bias_k, bias_v: (1, 1, E).
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = kdim if kdim is not None else embed_dim
        self.vdim = vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        same = self._qkv_same_embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "q_proj_weight": None if same else (embed_dim, embed_dim),
            "k_proj_weight": None if same else (embed_dim, self.kdim),
            "v_proj_weight": None if same else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if same else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        if same:  # the order in which PyTorch lists them
            shapes = {name: shapes[name] for name in ("in_proj_weight", *shapes)}
        self._add(shapes, device, dtype)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        further = (1, 1, embed_dim) if add_bias_kv else None
        self._add({"bias_k": further, "bias_v": further}, device, dtype)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _add(self, shapes: dict[str, tuple[int, ...] | None], device: Any, dtype: Any) -> None:
        for name, shape in shapes.items():
            made = None if shape is None else Parameter(empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, made)

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Attend.

        Args:
            query: (L, N, E), (N, L, E) with ``batch_first``, or (L, E). key, value: likewise, of length S.
            key_padding_mask: (N, S), True (or a number that is added) where not to look.
            need_weights: also give the attention weights. average_attn_weights: as their mean over the heads.
            attn_mask: (L, S) or (N num_heads, L, S), likewise.
            is_causal: ``attn_mask`` is the causal one.

        Returns:
            The result, of the shape of the query; and the weights (N, L, S) or (N, num_heads, L, S), or None.
        """
        turned = self.batch_first and query.ndim == 3
        if turned:
            same_key, same_value = key is query, value is key
            query = P.permute(query, (1, 0, 2))
            key = query if same_key else P.permute(key, (1, 0, 2))
            value = key if same_value else P.permute(value, (1, 0, 2))
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (P.permute(out, (1, 0, 2)) if turned else out), weights
