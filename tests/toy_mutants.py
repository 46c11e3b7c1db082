"""Copies of the toy backend in each of which one primitive is subtly wrong: what the conformance kit must find."""

import numpy as np
from toy_backend import ToyBackend

# name of the backend -> the primitive that is wrong in it
BROKEN = {}


def mutant(primitive):
    """Registers a class as the backend of its own name in lower case."""

    def add(cls):
        cls.name = cls.__name__.lower()
        BROKEN[cls.name] = primitive
        return cls

    return add


@mutant("log_softmax")
class WrongSign(ToyBackend):
    def log_softmax_vjp(self, g, out, dim):
        return g + np.exp(out) * g.sum(axis=dim, keepdims=True)


@mutant("flip")
class OffByOneAxis(ToyBackend):
    def flip(self, x, dims):
        return np.flip(x, [max(d - 1, 0) for d in dims]).copy()


@mutant("exp")
class DropsToFloat32(ToyBackend):
    def exp(self, x):
        return np.exp(x, dtype=np.float32).astype(x.dtype)


@mutant("var")
class IgnoresKeepdim(ToyBackend):
    def var(self, x, dims, correction, keepdim):
        return super().var(x, dims, correction, False)


@mutant("permute")
class ViewThatCopies(ToyBackend):
    def permute(self, x, order):
        return x.transpose(order).copy()


@mutant("maximum")
class SwallowsNan(ToyBackend):
    def maximum(self, a, b):
        return np.fmax(a, b)


@mutant("argmax")
class LastOfEquals(ToyBackend):
    def argmax(self, x, dim, keepdim):
        if dim is None:
            return super().argmax(x, dim, keepdim)
        return x.shape[dim] - 1 - np.argmax(np.flip(x, dim), axis=dim, keepdims=keepdim)


@mutant("sgd_update")
class ForgetsDecay(ToyBackend):
    def sgd_update(self, params, grads, moments, lr, momentum, dampening, decay, nesterov, maximize):
        super().sgd_update(params, grads, moments, lr, momentum, dampening, 0.0, nesterov, maximize)


@mutant("softmax")
class Overflows(ToyBackend):
    def softmax(self, x, dim):
        weights = np.exp(x)
        return weights / weights.sum(axis=dim, keepdims=True)


@mutant("cumsum")
class SumsAlongTheLast(ToyBackend):
    def cumsum(self, x, dim):
        return super().cumsum(x, dim if x.ndim < 3 else x.ndim - 1)


@mutant("relu")
class SlopeAtZero(ToyBackend):
    def relu_vjp(self, g, out):
        return np.where(out >= 0, g, g.dtype.type(0))


@mutant("sigmoid")
class WritesIntoItsInput(ToyBackend):
    def sigmoid(self, x):
        out = super().sigmoid(x)
        if x.ndim and x.flags.writeable:
            x[...] = out
        return out


@mutant("untake")
class LosesRepeatedRows(ToyBackend):
    def untake(self, g, rows, count):
        out = np.zeros((count, *g.shape[rows.ndim :]), g.dtype)
        out[rows] = g
        return out


@mutant("add")
class ReturnsItsInput(ToyBackend):
    def add(self, a, b):
        return a if np.ndim(b) == 0 and b == 0 else np.add(a, b)
