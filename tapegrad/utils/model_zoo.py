"""``torch.utils.model_zoo``: weights from the network, under their older name."""

from ..nn.saving.download import load_state_dict_from_url as load_url

__all__ = ["load_url"]
