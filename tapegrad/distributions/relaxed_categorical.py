"""PyTorch's place of ExpRelaxedCategorical and RelaxedOneHotCategorical."""

from ..nn.distributions.relaxed import ExpRelaxedCategorical, RelaxedOneHotCategorical

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]
