"""The tape as DOT and Mermaid: well-formed whatever the names are, and telling what is there."""

import re
from itertools import pairwise

import pytest

import tapegrad as tg
from tapegrad.autograd import to_dot, to_mermaid


class Graph:
    """What a parser of one of the two languages found."""

    def __init__(self):
        self.labels, self.kinds, self.arrows = {}, {}, []


def parse_dot(text):
    """The part of DOT's grammar (graphviz.org/doc/info/lang.html) that a plain digraph of boxes uses."""
    token = re.compile(r'\s*(?:(->)|([{}\[\]=;,])|"((?:[^"\\]|\\.)*)"|([A-Za-z_][A-Za-z_0-9]*|-?[0-9.]+))', re.S)
    tokens, at = [], 0
    while text[at:].strip():
        found = token.match(text, at)
        assert found, f"no token at {text[at : at + 40]!r}"
        tokens.append(("string", found[3]) if found[3] is not None else ("word", found[1] or found[2] or found[4]))
        at = found.end()
    tokens.reverse()

    def take(expected=None):
        value = tokens.pop()[1]
        assert expected is None or value == expected, (expected, value)
        return value

    graph = Graph()
    take("digraph")
    take()
    take("{")
    while tokens[-1][1] != "}":
        name = take()
        if tokens[-1] == ("word", "="):
            take("=")
            take()
        elif tokens[-1] == ("word", "->"):
            take("->")
            graph.arrows.append((name, take()))
        else:
            attributes = {}
            take("[")
            while tokens[-1] != ("word", "]"):
                key = take()
                take("=")
                attributes[key] = take()
                if tokens[-1] == ("word", ","):
                    take(",")
            take("]")
            if name != "node":
                lines = re.split(r"(?<!\\)((?:\\\\)*)\\n", attributes["label"])
                joined = [lines[0]]
                for slashes, line in zip(lines[1::2], lines[2::2]):
                    joined[-1] += slashes
                    joined.append(line)
                graph.labels[name] = [re.sub(r"\\(.)", r"\1", line) for line in joined]
                graph.kinds[name] = {"#dbeafe": "leaf", "#f3f4f6": "step", "#dcfce7": "result"}[attributes["fillcolor"]]
        take(";")
    take("}")
    assert not tokens
    return graph


def parse_mermaid(text):
    """Flowcharts with quoted labels (mermaid.js.org/syntax/flowchart.html)."""
    lines = text.splitlines()
    assert lines[0] == "flowchart TB"
    box = re.compile(r'  (n\d+)(\[\(|\[|\(\[)"([^"]*)"(\)\]|\]|\]\)):::(leaf|step|result)')
    ends = {"[(": ")]", "[": "]", "([": "])"}
    graph = Graph()
    for line in lines[1:]:
        if found := box.fullmatch(line):
            name, left, label, right, kind = found.groups()
            assert ends[left] == right
            assert not re.search(r"[<>&`\"]", label.replace("<br/>", "")), label
            read = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), label.replace("<br/>", "\0"))
            graph.labels[name], graph.kinds[name] = read.split("\0"), kind
        elif found := re.fullmatch(r"  (n\d+) --> (n\d+)", line):
            graph.arrows.append(found.groups())
        else:
            assert re.fullmatch(r"  classDef \w+ fill:#[0-9a-f]{6}", line), line
    return graph


WRITERS = [pytest.param(to_dot, parse_dot, id="dot"), pytest.param(to_mermaid, parse_mermaid, id="mermaid")]
both = pytest.mark.parametrize(("write", "parse"), WRITERS)


def checked(graph):
    """The graph, every arrow of which joins two boxes, and no box of which stands alone."""
    ends = [n for arrow in graph.arrows for n in arrow]
    assert set(ends) <= set(graph.labels)
    assert set(graph.labels) == set(ends)
    return graph


def found(graph, first):
    (name,) = [n for n, lines in graph.labels.items() if lines[0] == first]
    return name, graph.labels[name]


@both
def test_a_network(write, parse):
    model = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.ReLU(), tg.nn.Linear(4, 2))
    loss = model(tg.ones(5, 3)).softmax(1).square().mean()
    graph = checked(parse(write(loss, params=dict(model.named_parameters()))))
    where = f"cpu ({tg.device('cpu').backend.name})"
    for name, p in model.named_parameters():
        box, lines = found(graph, name)
        assert graph.kinds[box] == "leaf"
        assert lines[1:] == [f"float32{list(p.shape)}", where]
    assert found(graph, "SoftmaxBackward0")[1][1] == "float32[5, 2]"
    assert found(graph, "MeanBackward0")[1][1] == "float32[]"
    result, lines = found(graph, "result")
    assert lines == ["result", "float32[]", where]
    assert graph.kinds[result] == "result"
    steps = [found(graph, first)[0] for first in ("SoftmaxBackward0", "PowBackward0", "MeanBackward0", "result")]
    assert set(pairwise(steps)) <= set(graph.arrows)
    assert (found(graph, "2.weight")[0], next(a for a, b in graph.arrows if b == steps[0])) in graph.arrows


@both
def test_shapes_types_and_devices_along_the_way(write, parse):
    x = tg.ones(2, 3, dtype=tg.float64, requires_grad=True)
    y = tg.ones(3, requires_grad=True)
    z = tg.cat([(x * y.double()).T, x[:, :2].T]).sum(0).exp()
    graph = checked(parse(write(z, {"x": x, "y": y})))
    for first, second in {
        "x": "float64[2, 3]", "y": "float32[3]", "ToCopyBackward0": "float64[3]", "MulBackward0": "float64[2, 3]",
        "SliceBackward0": "float64[2, 2]", "CatBackward0": "float64[5, 2]", "SumBackward1": "float64[2]",
        "ExpBackward0": "float64[2]",
    }.items():  # fmt: skip
        assert found(graph, first)[1][1] == second


@both
@pytest.mark.parametrize(
    "name",
    [
        'a "quoted" name',
        "back\\slash",
        "two\nlines",
        "<b>&amp;</b>",
        "end;]",
        "`#35;`",
        "ünïcode",
        "x\\",
        '"',
        "a|b{c}",
        "",
    ],
)
def test_any_name_is_a_label(write, parse, name):
    w = tg.ones(2, requires_grad=True)
    graph = checked(parse(write(w * 2, {name: w})))
    (box,) = [n for n, kind in graph.kinds.items() if kind == "leaf"]
    assert "\n".join(graph.labels[box][:-2]) == name
    assert graph.labels[box][-2] == "float32[2]"


@both
def test_several_results_share_their_steps(write, parse):
    w = tg.ones(2, requires_grad=True)
    y = w.exp()
    graph = checked(parse(write([y.sum(), y * 2], {"w": w})))
    assert sum(lines[0] == "ExpBackward0" for lines in graph.labels.values()) == 1
    assert {"result 0", "result 1"} <= {lines[0] for lines in graph.labels.values()}


@both
def test_an_input_used_twice_has_two_arrows(write, parse):
    w = tg.ones(2, requires_grad=True)
    graph = checked(parse(write(w * w)))
    assert graph.arrows.count((found(graph, "leaf")[0], found(graph, "MulBackward0")[0])) == 2


@both
def test_nothing_changes(write, parse):
    seen = []
    w = tg.tensor([2.0], requires_grad=True)
    y = w.square()
    y.register_hook(seen.append)
    z = y.exp()
    parse(write(z, {"w": w}))
    assert w.grad is None
    assert not seen
    z.backward()
    assert w.grad.item() == pytest.approx(4 * 54.598150)
    assert len(seen) == 1


@both
def test_what_was_freed_has_no_shape_and_is_drawn_all_the_same(write, parse):
    w = tg.ones(2, requires_grad=True)
    y = w.exp().sum()
    y.backward()
    graph = checked(parse(write(y)))
    assert len(found(graph, "leaf")[1]) == 2
    assert found(graph, "SumBackward0")[1][1] == "float32[]"


class Both(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3

    @staticmethod
    def backward(ctx, g, h):
        raise AssertionError("drawing must not run it")


@both
def test_a_function_of_the_users_is_one_box(write, parse):
    w = tg.ones(2, requires_grad=True)
    a, b = Both.apply(w)
    graph = checked(parse(write(a * b, {"w": w})))
    box = found(graph, "BothBackward")[0]
    assert graph.arrows.count((box, found(graph, "MulBackward0")[0])) == 2
    assert (found(graph, "w")[0], box) in graph.arrows


@both
def test_a_leaf_alone(write, parse):
    w = tg.ones(2, requires_grad=True)
    assert found(checked(parse(write(w, {"w": w}))), "w")


@both
def test_a_long_chain(write, parse):
    y = tg.ones((), requires_grad=True)
    for _ in range(3000):
        y = y * 1.0
    assert len(parse(write(y)).arrows) == 3001


@both
def test_refusals(write, parse):
    with pytest.raises(RuntimeError, match="does not require grad"):
        write(tg.ones(2))
    with pytest.raises(TypeError, match="not of int"):
        write([3])
