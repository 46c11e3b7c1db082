"""A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, 3.5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["search"]

ARMIJO, CURVATURE = 1e-4, 0.9


@dataclass
class Point:
    """A place on the line: how far, the loss, the gradient and the slope along the line."""

    t: float
    loss: float
    grad: Any
    slope: float


def search(
    evaluate: Callable[[float], tuple[float, Any]], direction: Any, t: float, loss: float, grad: Any, slope: float,
    tolerance: float, most: int,
) -> tuple[float, Any, float, int]:  # fmt: skip
    """Find a step along ``direction`` that lowers the loss enough and flattens the slope.

    Args:
        evaluate: the loss and the gradient at a distance.
        direction: where to go, flat.
        t: the first distance to try.
        loss: where one stands.
        grad: likewise.
        slope: of the loss along the direction, below 0.
        tolerance: the smallest move of a parameter that is worth another evaluation.
        most: the largest number of evaluations after the first.

    Returns:
        The loss and the gradient found, the distance, and the number of evaluations.
    """
    line = _Line(evaluate, direction, Point(0.0, loss, grad.clone(), slope), most)
    low, high = line.bracket(t)
    if high is not None:
        low = line.zoom(low, high, tolerance)
    return low.loss, low.grad, low.t, line.tried + 1


class _Line:
    def __init__(self, evaluate: Callable[[float], tuple[float, Any]], direction: Any, start: Point, most: int) -> None:
        self.evaluate, self.direction, self.start, self.most = evaluate, direction, start, most
        self.reach = float(direction.abs().max())
        self.tried = 0  # after the first

    def at(self, t: float) -> Point:
        loss, grad = self.evaluate(t)
        return Point(t, loss, grad, float(grad.dot(self.direction)))

    def too_high(self, point: Point) -> bool:
        return point.loss > self.start.loss + ARMIJO * point.t * self.start.slope

    def flat(self, point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * self.start.slope

    def bracket(self, t: float) -> tuple[Point, Point | None]:
        """Go on until two points hold a good one between them; or the good one alone."""
        last, new = self.start, self.at(t)
        while self.tried < self.most:
            if self.too_high(new) or (self.tried > 1 and new.loss >= last.loss):
                return _sorted(last, new)
            if self.flat(new):
                return new, None
            if new.slope >= 0:
                return _sorted(last, new)
            t = _cubic(last, new, new.t + 0.01 * (new.t - last.t), new.t * 10)
            last, new = new, self.at(t)
            self.tried += 1
        return _sorted(self.start, new)

    def zoom(self, low: Point, high: Point, tolerance: float) -> Point:
        """Narrow a bracket; ``low`` is the better of the two ends."""
        stuck = False
        while self.tried < self.most and abs(high.t - low.t) * self.reach >= tolerance:
            left, right = min(low.t, high.t), max(low.t, high.t)
            t = _cubic(low, high, left, right)
            margin = 0.1 * (right - left)
            if min(right - t, t - left) < margin:
                # Once near an end is allowed; at it, or twice, would be no progress.
                if stuck or t >= right or t <= left:
                    t = right - margin if abs(t - right) < abs(t - left) else left + margin
                    stuck = False
                else:
                    stuck = True
            else:
                stuck = False
            new = self.at(t)
            self.tried += 1
            if self.too_high(new) or new.loss >= low.loss:
                low, high = _sorted(low, new)
            else:
                if self.flat(new):
                    return new
                if new.slope * (high.t - low.t) >= 0:
                    high = low
                low = new
        return low


def _sorted(a: Point, b: Point) -> tuple[Point, Point]:
    """The point with the lower loss first."""
    return (a, b) if a.loss <= b.loss else (b, a)


def _cubic(a: Point, b: Point, left: float, right: float) -> float:
    """Where the cubic through two points with their slopes is least, within bounds; else their middle."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (left + right) / 2
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below) if below else math.nan
    return min(max(least, left), right)
