"""Gamma, Poisson and binomial numbers by rejection: each takes as many uniform numbers as it happens to need.

Plain functions of a source of numbers: Python runs them as they stand, and ``rejection_draws`` compiles them, for
which it has its own ``uniform`` and ``normal``.
"""

import math

import numpy as np

__all__ = [
    "binomial_of_large_mean",
    "binomial_of_small_mean",
    "gamma",
    "poisson_of_large_rate",
    "poisson_of_small_rate",
]

LOG_ROOT_TURN = 0.5 * math.log(2.0 * math.pi)


def uniform(source):
    """The next number in [0, 1)."""
    return source.uniform()


def normal(source):
    """The next standard normal number."""
    return source.normal()


def gamma(source, concentration):
    """Marsaglia and Tsang's method, below concentration 1 with their power of a uniform number."""
    if concentration == 0:
        return 0.0
    scale = 1.0
    if concentration < 1:
        scale = (1.0 - uniform(source)) ** (1.0 / concentration)
        concentration += 1.0
    d = concentration - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(source)
        y = 1.0 + c * x
        while y <= 0:
            x = normal(source)
            y = 1.0 + c * x
        v = y * y * y
        u = 1.0 - uniform(source)
        square = x * x
        if u < 1.0 - 0.0331 * square * square or math.log(u) < 0.5 * square + d * (1.0 - v + math.log(v)):
            return scale * d * v


def poisson_of_small_rate(source, rate):
    """How many uniform numbers can be multiplied before the product falls to ``exp(-rate)``."""
    if rate == 0:
        return 0.0
    level, product, count = math.exp(-rate), uniform(source), 0.0
    while product > level:
        product *= uniform(source)
        count += 1.0
    return count


def poisson_of_large_rate(source, rate):
    """Hörmann's transformed rejection, for rates of 10 and more."""
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    tight = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = uniform(source) - 0.5
        v = uniform(source)
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = float(np.floor((2.0 * a / us + b) * u + rate + 0.43))
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = (math.log(v) if v > 0 else -math.inf) + math.log(inverse) - math.log(a / (us * us) + b)
        if left <= -rate + k * math.log(rate) - math.lgamma(k + 1.0):
            return k


def binomial_of_small_mean(source, count, prob):
    """How many geometric waiting times fit into ``count`` throws."""
    waited, found, log_miss = 0.0, 0.0, math.log1p(-prob)
    while True:
        u = uniform(source)
        waited += float(np.ceil(math.log(u) / log_miss)) if u > 0 else math.inf
        if waited > count:
            return found
        found += 1.0


def binomial_of_large_mean(source, count, prob):
    """Hörmann's transformed rejection, for means of 10 and more."""
    deviation = math.sqrt(count * prob * (1.0 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    tight = 0.92 - 4.2 / b
    odds = prob / (1.0 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    m = float(np.floor((count + 1.0) * prob))
    while True:
        u = uniform(source) - 0.5
        v = uniform(source)
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = float(np.floor((2.0 * a / us + b) * u + c))
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or k > count:
            continue
        bound = (
            (m + 0.5) * math.log((m + 1.0) / (odds * (count - m + 1.0)))
            + (count + 1.0) * math.log((count - m + 1.0) / (count - k + 1.0))
            + (k + 0.5) * math.log(odds * (count - k + 1.0) / (k + 1.0))
        )
        for sign, x in ((1.0, m), (1.0, count - m), (-1.0, k), (-1.0, count - k)):
            # what Stirling's formula for log x! leaves over
            bound += sign * (math.lgamma(x + 1.0) - ((x + 0.5) * math.log(x + 1.0) - (x + 1.0) + LOG_ROOT_TURN))
        share = v * alpha / (a / (us * us) + b)
        if (math.log(share) if share > 0 else -math.inf) <= bound:
            return k
