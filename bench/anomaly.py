"""``python -m bench.anomaly``: what anomaly mode costs, per training step, with and without the search for NaN."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.autograd import set_detect_anomaly

__all__ = ["main"]

NETWORKS = (((2, 16, 16, 1), 32), ((784, 256, 10), 64), ((784, 1024, 1024, 10), 512))


def _step(sizes: tuple[int, ...], batch: int) -> Callable[[], Any]:
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [tg.nn.Linear(a, b), tg.nn.ReLU()]
    model = tg.nn.Sequential(*layers[:-1])
    optimizer = tg.optim.SGD(model.parameters(), lr=1e-3)
    x, y = tg.randn(batch, sizes[0]), tg.randn(batch, sizes[-1])

    def step() -> None:
        optimizer.zero_grad()
        tg.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()

    return step


def _microseconds(step: Callable[[], Any], seconds: float = 0.5) -> float:
    step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return median(times) * 1e6


def main() -> None:
    memory = np.ones(1 << 24, np.uint8)
    start = time.perf_counter()
    zlib.crc32(memory)
    print(f"CRC-32: {memory.nbytes / (time.perf_counter() - start) / 1e9:.1f} GB/s")
    for sizes, batch in NETWORKS:
        step = _step(sizes, batch)
        plain = _microseconds(step)
        texts = []
        for check_nan in (False, True):
            with set_detect_anomaly(True, check_nan):
                watched = _microseconds(step)
            texts.append(f"{watched:.0f} us ({watched / plain:.1f} times){'' if check_nan else ' without'}")
        print(f"{'-'.join(map(str, sizes))}, batch {batch}: {plain:.0f} us; in anomaly mode {texts[1]}, {texts[0]} NaN")


if __name__ == "__main__":
    main()
