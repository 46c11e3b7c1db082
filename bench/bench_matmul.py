"""Products of two square matrices."""

from .workloads import matmul

WORKLOADS = [(32,), (256,), (1024,)]


def test_matmul(contest):
    (size,) = contest.work
    contest.measure(f"matmul {size}x{size}", matmul(contest.tg, size))
