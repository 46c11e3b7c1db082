"""tapegrad.keras: callbacks."""

import csv
import struct

import numpy as np
import pytest

from tapegrad.keras import callbacks, optimizers

from .conftest import line, small


class Scripted(callbacks.Callback):
    """Replaces the losses of the passes by given ones; it comes first."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def go(values, *others, **kwargs):
    model = small(**kwargs)
    x, y = line()
    history = model.fit(x, y, epochs=len(values), verbose=0, callbacks=[Scripted(values), *others])
    return model, history.history


@pytest.mark.parametrize(("options", "values", "passes"), [
    ({}, [3, 2, 2.5, 1], 3), ({"patience": 2}, [3, 2, 2.5, 1, 1, 1, 1], 6), ({"patience": 1}, [1, 2, 0], 2),
    ({"min_delta": 1, "patience": 2}, [3, 2.5, 2.2, 2.1], 3), ({"mode": "max", "patience": 2}, [1, 2, 1, 1, 5], 4),
    ({"baseline": 1.0, "patience": 3}, [3, 2, 1.5, 1.2, 1.3, 1.1], 5), ({"start_from_epoch": 3}, [1, 2, 3, 4, 3, 3], 6),
])  # fmt: skip
def test_early_stopping(options, values, passes):
    _, history = go(values, callbacks.EarlyStopping(**options))
    assert len(history["val_loss"]) == passes


def test_early_stopping_restores_the_best():
    kept = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: kept.append(keep.model.get_weights()))
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model, _ = go([3, 1, 2, 2, 0], keep, stop)
    assert (stop.stopped_epoch, stop.best_epoch, stop.best) == (3, 1, 1)
    for a, b in zip(model.get_weights(), kept[1]):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="val_acc"):
        go([1, 2], callbacks.EarlyStopping("val_acc"))


def test_learning_rates():
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=2, min_lr=0.004)
    model, history = go([1] * 9, plateau)
    assert history["learning_rate"] == pytest.approx([0.01] * 3 + [0.005] * 3 + [0.004] * 3)
    assert model.optimizer.inner.param_groups[0]["lr"] == 0.004
    _, history = go([1] * 3, callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2))
    assert history["learning_rate"] == [0.005, 0.0025, 0.00125]


def test_checkpoints_and_tables(tmp_path):
    every = callbacks.ModelCheckpoint(tmp_path / "a" / "{epoch:02d}-{val_loss:.1f}.keras")
    best = callbacks.ModelCheckpoint(str(tmp_path / "best.safetensors"), save_best_only=True, save_weights_only=True)
    table = callbacks.CSVLogger(tmp_path / "log.csv", separator=";")
    kept = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: kept.append(keep.model.get_weights()))
    model, history = go([3, 1, 2], keep, every, best, table)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["01-3.0.keras", "02-1.0.keras", "03-2.0.keras"]
    model.load_weights(tmp_path / "best.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], kept[1][0])
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(r["epoch"], float(r["val_loss"])) for r in rows] == [("0", 3), ("1", 1), ("2", 2)]
    assert [float(r["loss"]) for r in rows] == history["loss"]
    go([5], callbacks.CSVLogger(tmp_path / "log.csv", separator=";", append=True))
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 5
    batches = callbacks.ModelCheckpoint(tmp_path / "b{epoch}-{batch}.keras", save_freq=2)
    x, y = line()
    model.fit(x, y, batch_size=16, epochs=1, callbacks=[batches], verbose=0)
    assert sorted(p.name for p in tmp_path.glob("b1*")) == ["b1-2.keras", "b1-4.keras"]


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_no_number_ends_the_training(capsys):
    x, y = line()
    model = small(optimizer=optimizers.SGD(1e30))
    history = model.fit(x, y, epochs=5, batch_size=8, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert "training ends" in capsys.readouterr().out


def records(path):
    """The messages of an event file, by the format's description; wrong checksums fail."""
    from tapegrad.keras.callbacks.tensorboard import crc32c

    data, found = path.read_bytes(), []
    while data:
        length, crc = struct.unpack_from("<QI", data)
        body = data[12 : 12 + length]
        for part, masked in ((data[:8], crc), (body, struct.unpack_from("<I", data, 12 + length)[0])):
            plain = (masked - 0xA282EAD8) & 0xFFFFFFFF
            assert ((plain >> 17) | (plain << 15)) & 0xFFFFFFFF == crc32c(part)
        found.append(body)
        data = data[16 + length :]
    return found


def test_tensorboard_files(tmp_path):
    _, history = go([2, 1], callbacks.TensorBoard(tmp_path, update_freq="batch"))
    (train,) = (tmp_path / "train").iterdir()
    (held,) = (tmp_path / "validation").iterdir()
    found = records(held)
    assert b"brain.Event:2" in found[0]
    assert [struct.unpack("<f", r[-4:])[0] for r in found[1:]] == [2, 1]
    assert all(b"\x0a\x0aepoch_loss\x15" in r for r in found[1:])
    assert found[2][9:11] == b"\x10\x01"  # the step
    losses_ = [struct.unpack("<f", r[-4:])[0] for r in records(train) if b"epoch_loss" in r]
    np.testing.assert_allclose(losses_, history["loss"], rtol=1e-6)
    assert sum(b"batch_loss" in r for r in records(train)) == 4
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = loader.EventAccumulator(str(tmp_path / "validation")).Reload()
    assert [e.value for e in events.Scalars("epoch_loss")] == [2, 1]


def test_a_schedule_of_the_pass_alone_and_the_short_names():
    rates, batches = [], []

    class Short(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            batches.append(batch)

    watch = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(logs["learning_rate"]))
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    go([1, 1], schedule, watch, Short())
    assert rates == [0.1, 0.05]
    said = []
    hear = callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: said.append(logs["outputs"]))
    got = small().predict(line()[0], verbose=0, callbacks=[hear])
    np.testing.assert_array_equal(np.concatenate(said), got)
    assert batches == [0, 1] * 2
