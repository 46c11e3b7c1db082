"""``tg.summary`` against torchinfo: the same text for the same network."""

import numpy as np
import pytest

import tapegrad as tg

COLUMNS = (
    "input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds", "trainable",
)  # fmt: skip


def image_net(nn, lib):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
            )  # fmt: skip
            self.head, self.act = nn.Linear(8 * 14 * 14, 10), nn.ReLU()
            self.w = nn.Parameter(lib.zeros(3))
            self.head.bias.requires_grad_(False)

        def forward(self, x):
            return self.act(self.head(self.act(self.features(x)).flatten(1)))

    return Net()


def text_net(nn, lib):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.l = nn.Embedding(20, 8), nn.LSTM(8, 6, 2, batch_first=True)
            self.o, self.many = nn.Linear(6, 6), nn.ModuleList([nn.Linear(6, 6) for _ in range(2)])

        def forward(self, x):
            h = self.o(self.o(self.l(self.e(x))[0]))
            for layer in self.many:
                h = layer(h)
            return h

    return Net()


def stack(nn, lib):
    return nn.Sequential(nn.Linear(4, 300), nn.ReLU(), nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(300, 2)))))


def with_an_idle_layer(nn, lib):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle, self.w = nn.Linear(4, 4), nn.Linear(3, 3), nn.Parameter(lib.zeros(7))

        def forward(self, x):
            return self.used(self.used(x)) + self.w.sum()

    return Net()


CASES = {
    "images": (image_net, [(2, 1, 28, 28)], {}),
    "all columns": (image_net, [(2, 1, 28, 28)], {"col_names": COLUMNS}),
    "cut and named": (image_net, [(2, 1, 28, 28)], {"col_names": COLUMNS, "row_settings": ("var_names", "depth"),
                                                   "depth": 1}),
    "not run": (image_net, [], {}),
    "text": (text_net, [(4, 7)], {"col_names": COLUMNS, "row_settings": ("var_names",), "dtypes": "long"}),
    "a batch added": (stack, [(4,)], {"batch_dim": 0, "depth": 2, "col_width": 18}),
    "an idle layer": (with_an_idle_layer, [(2, 4)], {"col_names": COLUMNS}),
    "deep": (stack, [(16, 4)], {"depth": 5}),
    "one layer": (lambda nn, lib: nn.Linear(4, 3), [(16, 4)], {}),
    "two inputs": (lambda nn, lib: nn.Bilinear(4, 3, 2), [[(5, 4), (5, 3)]], {}),
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_the_table_is_torchinfos(case):
    torch, torchinfo = pytest.importorskip("torch"), pytest.importorskip("torchinfo")
    make, sizes, options = CASES[case]

    def table(library, summary):
        given = {**options, **({"dtypes": [library.long]} if "dtypes" in options else {})}
        return summary(make(library.nn, library), *sizes, verbose=0, **given)

    theirs, own = table(torch, torchinfo.summary), table(tg, tg.summary)
    # Its unit is printed as the name of an enumeration's member on newer Pythons.
    text = str(theirs).replace("Units.MEGABYTES", "M")
    assert str(own) == "\n".join(line.rstrip() for line in text.strip().splitlines())
    assert (own.total_params, own.trainable_params) == (theirs.total_params, theirs.trainable_params)
    if sizes:
        assert own.total_mult_adds == theirs.total_mult_adds
        assert own.total_output_bytes == theirs.total_output_bytes


def test_a_summary_leaves_no_trace(capsys):
    model = tg.nn.Sequential(tg.nn.Linear(4, 3), tg.nn.Dropout(0.5), tg.nn.BatchNorm1d(3))
    model[1].eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    tg.manual_seed(0)
    want = tg.rand(3)
    tg.manual_seed(0)
    made = tg.summary(model, (8, 4))
    assert capsys.readouterr().out == f"{made}\n"
    np.testing.assert_array_equal(tg.rand(3).numpy(), want.numpy())
    assert [m.training for m in model] == [True, False, True]
    assert all(np.array_equal(v.numpy(), before[k].numpy()) for k, v in model.state_dict().items())
    assert not any(m._hooks.any_call() for m in model if m._hooks is not None)
    assert made.total_params == 4 * 3 + 3 + 6
    assert tg.summary(model, input_data=tg.ones(2, 4), verbose=0).rows[1].output_shape == [2, 3]


def test_an_attention_counts_what_nobody_calls():
    made = tg.summary(tg.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8), verbose=0)
    (row,) = (r for r in str(made).splitlines() if "MultiheadAttention" in r)
    assert row.split()[-1] == "288"
    assert f"Total params: {made.total_params:,}" in str(made)


def test_refusals():
    model = tg.nn.Linear(2, 2)
    for options, text in [({"input_size": (1, 2), "input_data": tg.ones(1, 2)}, "not both"),
                          ({"col_names": ("colour",)}, "unknown col_names 'colour'"), ({"mode": "x"}, "mode must be"),
                          ({"row_settings": ("x",)}, "unknown row_settings")]:  # fmt: skip
        with pytest.raises(ValueError, match=text):
            tg.summary(model, **options)
