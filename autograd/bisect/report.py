"""What a comparison of two backends found."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Disagreement", "Report"]


@dataclass(frozen=True)
class Disagreement:
    """The first call on which two backends disagree.

    Attributes:
        primitive: what was called; of a fused derivative ``NAME_vjp``, its ``NAME``.
        direction: ``"forward"``, ``"backward"`` or ``"update"`` (of an optimizer).
        fused: whether it was a fused derivative rather than a primitive.
        step: in the backward, the primitive whose step of the tape was being differentiated, else None.
        gradient_of: there, the input of that step whose gradient was being computed, else None.
        result: which of several results, by number or, of an update, by name; else None.
        arguments: shapes and dtypes of what it was called with.
        problem: how the results differ, in words.
        absolute: the error of the worst element.
        relative: the same in proportion to the first backend's.
        index: where that element is.
        file: of the user's line that made the forward call.
        line: its number; 0 where it is not known.
        text: the line.
    """

    primitive: str
    direction: str
    fused: bool
    step: str | None
    gradient_of: str | None
    result: int | str | None
    arguments: tuple[str, ...]
    problem: str
    absolute: float
    relative: float
    index: tuple[int, ...]
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        what = f"the fused derivative '{self.primitive}_vjp'" if self.fused else f"'{self.primitive}'"
        where = {"forward": "forward", "update": "in the optimizer's update", "backward": "backward"}[self.direction]
        if self.step is not None:
            where += f" through '{self.step}'"
            where += "" if self.gradient_of is None else f", the gradient of its input '{self.gradient_of}'"
        lines = [f"{what}, {where}"]
        lines.append(f"  called with {', '.join(self.arguments)}")
        lines.append(f"  {'result' if self.result is None else f'result {self.result!r}'}: {self.problem}")
        if self.line:
            lines.append(f'  forward call: File "{self.file}", line {self.line}: {self.text}')
        else:
            lines.append("  forward call: not known, made before the comparison began")
        return "\n".join(lines)


@dataclass
class Report:
    """Whether two backends agree on a step; true if they do.

    Attributes:
        first: the name of the backend that the step ran on.
        second: the name of the one it was compared with.
        calls: how many calls were compared, by direction.
        disagreement: the first disagreement, or None.
    """

    first: str
    second: str
    calls: dict[str, int] = field(default_factory=lambda: {"forward": 0, "backward": 0, "update": 0})
    disagreement: Disagreement | None = None

    def __bool__(self) -> bool:
        return self.disagreement is None

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {direction}" for direction, n in self.calls.items())
        if self.disagreement is None:
            return f"{self.first} and {self.second} agree on {counts} calls"
        return f"{self.first} and {self.second} disagree (calls compared: {counts}) on {self.disagreement}"
