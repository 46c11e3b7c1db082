"""Where this library is not as PyTorch's operator database has it, and why: one table for the tests and the docs.

A name that stands here and passes fails the tests, as one that fails and does not stand here.
"""

__all__ = ["SHORTFALLS"]

DISTANCE = "the database hands over a module of PyTorch's as `distance_function`, which takes PyTorch's tensors only"
SCATTER = (
    "PyTorch's gradient of `input` counts the elements that `src` replaces, and its own gradcheck refuses it; here "
    "they have none"
)
WINDOW = "PyTorch gives the window no gradient where a sample asks for one; here it has the one that differences show"
RENORM = "PyTorch's gradient by the infinity norm of complex numbers is NaN; here it is finite"
ANY_SHAPE = "PyTorch gives the tensor another shape where `input` is smaller than the result; here that is refused"
UNBOUND = "called as an unbound method on a number in the tensor's place, it takes the tensor from the other side"

_ALWAYS = {"nn.functional.triplet_margin_with_distance_loss": DISTANCE}
_FLOATING = {**_ALWAYS, "as_strided_scatter": SCATTER}

# mode of ``database.MODES`` -> name -> reason
SHORTFALLS: dict[str, dict[str, str]] = {
    "float32": _FLOATING,
    "float64": _FLOATING,
    "complex64": {**_FLOATING, "istft": WINDOW, "renorm": RENORM},
    "int64": _ALWAYS,
    "bool": {},
    "strided": _FLOATING,
    "in place": {"addbmm": ANY_SHAPE},
    "refusals": dict.fromkeys(("__radd__", "__rand__", "__rmul__", "__ror__", "__rxor__"), UNBOUND),
}
