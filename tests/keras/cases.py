"""What Keras and tapegrad.keras must answer alike, for ``test_against_keras.py``.

``python tests/keras/cases.py``, where Keras 3 is installed, asks it and writes ``answers.json``.
"""

import contextlib
import importlib
import json
import warnings
from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).with_name("answers.json")


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


X, Y = draw(1, 70, 5), draw(2, 70, 1)
SIGNS, WEIGHTS = (Y > 0).astype("float32"), np.abs(draw(7, 70))
CLASSES = np.random.default_rng(3).integers(0, 3, 70)
IMAGES, SEQUENCES = draw(4, 12, 9, 8, 3), draw(5, 12, 7, 4)
NUMBERS, GUESSES = draw(11, 6, 4), draw(10, 6, 4)
CHANCES, TRUTHS = 1 / (1 + np.exp(-draw(8, 6, 4))), (draw(9, 6, 4) > 0).astype("float32")
SHARES = np.exp(GUESSES) / np.exp(GUESSES).sum(1, keepdims=True)
ROWS = np.array([0, 1, 2, 3, 1, 2])
HOT = np.eye(4, dtype="float32")[ROWS]

LOSSES = (
    "mse MAE mape MSLE huber log_cosh hinge squared_hinge categorical_hinge KLD poisson cosine_similarity bce "
    "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy binary_focal_crossentropy "
    "categorical_focal_crossentropy dice tversky"
).split()
METRICS = (
    "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy MeanSquaredError MeanAbsoluteError "
    "RootMeanSquaredError MeanAbsolutePercentageError MeanSquaredLogarithmicError CosineSimilarity LogCoshError Hinge "
    "SquaredHinge CategoricalHinge KLDivergence Poisson BinaryCrossentropy CategoricalCrossentropy "
    "SparseCategoricalCrossentropy Precision Recall AUC TruePositives FalsePositives TrueNegatives FalseNegatives "
    "F1Score R2Score"
).split()
MORE_METRICS = [
    "TopKCategoricalAccuracy(2)", "SparseTopKCategoricalAccuracy(k=2)", "BinaryAccuracy(threshold=0.7)",
    "Precision(0.3)", "Precision([0.3, 0.6])", "Recall(class_id=0)", "Precision(top_k=1)", "AUC(curve='PR')", "AUC(50)",
    "F1Score('macro')", "F1Score(average='micro', threshold=0.5)", "FBetaScore('weighted', beta=2.0)",
]  # fmt: skip
OPTIMIZERS = [
    "SGD()", "RMSprop()", "Adam()", "AdamW()", "Adamax()", "Nadam()", "Adagrad()", "Adadelta()", "Lion()",
    "SGD(0.1, 0.9)", "SGD(0.1, 0.9, True)", "SGD(0.1, momentum=0.9, weight_decay=0.01)", "SGD(0.1, clipnorm=0.1)",
    "SGD(0.1, clipvalue=0.05)", "SGD(0.1, global_clipnorm=0.1)", "RMSprop(0.01, 0.8, 0.5, 1e-3, True)",
    "Adam(0.01, 0.8, 0.9, 1e-3, True)", "AdamW(0.01, 0.1, 0.8, 0.9)", "Adagrad(0.5, 0.2)", "Adadelta(1.0, 0.9)",
    "SGD(schedules.PolynomialDecay(0.1, 6, 0.0), 0.9)", "Adam(schedules.CosineDecayRestarts(0.1, 4))",
]  # fmt: skip
SCHEDULES = [
    "ExponentialDecay(0.1, 5, 0.9)", "ExponentialDecay(0.1, 5, 0.9, True)", "InverseTimeDecay(0.1, 5, 0.5)",
    "PiecewiseConstantDecay([3, 8], [0.1, 0.05, 0.01])", "PolynomialDecay(0.1, 10, power=2.0)",
    "PolynomialDecay(0.1, 4, cycle=True)", "CosineDecay(0.1, 20, 0.1)",
    "CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=4)", "CosineDecayRestarts(0.1, 4, 1.5, 0.8)",
]  # fmt: skip
LAYERS = [
    "Dense(4, 'tanh', True, 'he_normal', 'ones')", "SimpleRNN(5, activation='sigmoid')", "SimpleRNN(5, None)",
    "LSTM(5, activation='relu')", "LSTM(5, recurrent_activation='hard_sigmoid', return_sequences=True)",
    "GRU(5, activation='relu', go_backwards=True)", "GRU(5, 'tanh', 'sigmoid', False)", "GlobalMaxPooling1D()",
]  # fmt: skip
STOPS = [
    {}, {"patience": 2}, {"patience": 1, "min_delta": 0.2}, {"patience": 2, "restore_best_weights": True},
    {"patience": 2, "mode": "max"}, {"patience": 2, "baseline": 4.0}, {"patience": 2, "start_from_epoch": 3},
    {"patience": 3, "baseline": 1.0, "restore_best_weights": True},
]  # fmt: skip


def filled(model):
    """The model with weights that need no generator of its own."""
    rng = np.random.default_rng(0)
    arrays = [0.5 * rng.normal(size=tuple(w.shape)).astype("float32") for w in model.weights]
    model.set_weights([np.abs(a) + 0.5 if "variance" in w.name else a for a, w in zip(arrays, model.weights)])
    return model


def data_for(name):
    name = name.lower()
    if "sparse" in name:
        return ROWS, SHARES
    if any(word in name for word in ("categorical", "kl", "topk", "f1", "fbeta", "top_k")):
        return HOT, SHARES
    if any(word in name for word in ("absolute", "squared", "cos", "hinge", "r2", "huber", "mse", "mae", "mape")):
        return NUMBERS, GUESSES
    if name == "accuracy":
        return TRUTHS, np.round(CHANCES)
    return TRUTHS, CHANCES


class Cases:
    """Every case by its name, as a function that asks the package.

    Args:
        name: "keras" or "tapegrad.keras".
    """

    def __init__(self, name):
        parts = ("layers", "losses", "metrics", "optimizers", "callbacks", "utils")
        self.keras = importlib.import_module(name)
        self.part = {part: importlib.import_module(f"{name}.{part}") for part in parts}
        self.all = {f"loss {n}": lambda n=n: self.loss(n) for n in LOSSES}
        self.all |= {f"metric {n}": lambda n=n: self.metric(n) for n in [f"{n}()" for n in METRICS] + MORE_METRICS}
        self.all |= {f"optimizer {n}": lambda n=n: self.optimizer(n) for n in OPTIMIZERS}
        self.all |= {f"schedule {n}": lambda n=n: self.schedule(n) for n in SCHEDULES}
        self.all |= {f"layer {n}": lambda n=n: self.layer(n) for n in LAYERS}
        self.all |= {f"stop {n}": lambda n=n: self.stop(n) for n in STOPS}
        fits = ("history", "weighted", "ignored", "columns_of_weights", "images", "validation_list", "generator")
        self.all |= {f"fit {n}": getattr(self, n) for n in fits}
        self.all |= {f"summary {n}": lambda n=n: self.summary(n) for n in ("dense", "images", "fitted", "frozen")}

    def make(self, part, text):
        return eval(text, vars(self.part[part]).copy())

    def model(self, *layers, inputs=(5,)):
        make = self.part["layers"]
        return filled(self.keras.Sequential([make.Input(shape=inputs), *(self.make("layers", n) for n in layers)]))

    def fitted(self, x=X, y=Y, layers=("Dense(4, 'tanh')", "Dense(1)"), compiled=None, **options):
        model = self.model(*layers, inputs=x.shape[1:])
        model.compile(**{"optimizer": "sgd", "loss": "mse", **(compiled or {})})
        return model, model.fit(x, y, shuffle=False, verbose=0, **options)

    # What is asked

    def loss(self, name):
        model, (true, pred) = self.model("Activation('linear')", inputs=(4,)), data_for(name)
        model.compile("sgd", name)
        return [plain(model.evaluate(pred, true, sample_weight=weight, verbose=0))
                for weight in (None, np.arange(6.0) / 3)]  # fmt: skip

    def metric(self, text):
        metric, (true, pred) = self.make("metrics", text), data_for(text.split("(")[0])
        metric.update_state(true, pred)
        first = plain(metric.result())
        metric.update_state(true[:3], pred[:3], sample_weight=np.array([0.5, 2.0, 1.0]))
        return [first, plain(metric.result())]

    def optimizer(self, text):
        compiled = {"optimizer": self.make("optimizers", text)}
        model, history = self.fitted(compiled=compiled, epochs=3, batch_size=16)
        return [history.history["loss"], plain(model.get_weights()[0])]

    def schedule(self, text):
        schedule = self.make("optimizers", f"schedules.{text}")
        return [plain(schedule(step)) for step in (0, 3, 4, 7, 9, 25)]

    def layer(self, text):
        x = X if text.startswith("Dense") else SEQUENCES
        return plain(self.model(text, inputs=x.shape[1:]).predict(x, verbose=0))

    def stop(self, options):
        values = [5.0, 4.0, 4.5, 4.2, 3.9, 3.95, 4.0, 4.1, 4.2]

        class Scripted(self.part["callbacks"].Callback):
            def on_epoch_end(self, epoch, logs=None):
                logs["val_loss"] = values[epoch]

        stop = self.part["callbacks"].EarlyStopping(**options)
        model, history = self.fitted(epochs=len(values), callbacks=[Scripted(), stop])
        return [len(history.epoch), stop.stopped_epoch, stop.best_epoch, stop.best, plain(model.get_weights()[0])]

    def history(self):
        compiled = {"loss": "bce", "metrics": ["accuracy", "AUC", "mse"]}
        layers = ("Dense(4, 'tanh')", "Dense(1, 'sigmoid')")
        _, history = self.fitted(y=SIGNS, layers=layers, compiled=compiled, validation_split=0.2, epochs=2)
        return [list(history.history), [plain(v) for v in history.history.values()]]

    def weighted(self):
        compiled = {"loss": "bce", "metrics": ["accuracy"], "weighted_metrics": ["mse"]}
        layers = ("Dense(1, 'sigmoid')",)
        _, history = self.fitted(y=SIGNS, layers=layers, compiled=compiled, sample_weight=WEIGHTS)
        return {name: plain(values) for name, values in history.history.items()}

    def columns_of_weights(self):
        return self.fitted(sample_weight=WEIGHTS[:, None])[1].history["loss"]

    def ignored(self):
        loss = self.part["losses"].SparseCategoricalCrossentropy(ignore_class=1)
        return [plain(loss(ROWS, SHARES)), plain(loss(ROWS, SHARES, sample_weight=np.arange(6.0)))]

    def images(self):
        layers = ("Conv2D(4, 3, padding='same', activation='relu')", "MaxPooling2D()", "BatchNormalization()",
                  "Flatten()", "Dense(3, 'softmax')")  # fmt: skip
        compiled = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
        _, history = self.fitted(IMAGES, CLASSES[:12], layers, compiled, epochs=2, batch_size=5)
        return {name: plain(values) for name, values in history.history.items()}

    def validation_list(self):
        _, history = self.fitted(validation_data=(X[:20], Y[:20]), validation_freq=[1, 4], epochs=5)
        return history.history["val_loss"]

    def generator(self):
        model = self.model("Dense(4, 'tanh')", "Dense(1)")
        model.compile("sgd", "mse")
        batches = ((X[i % 70 : i % 70 + 10], Y[i % 70 : i % 70 + 10]) for i in range(0, 1000, 10))
        return model.fit(batches, steps_per_epoch=3, epochs=2, verbose=0).history["loss"]

    def summary(self, kind):
        self.part["utils"].clear_session()
        if kind == "images":
            model = self.model("Conv2D(32, 3)", "MaxPooling2D()", "BatchNormalization()", "Flatten()", "Dense(10)",
                               inputs=(28, 28, 1))  # fmt: skip
        elif kind == "fitted":
            model, _ = self.fitted(compiled={"optimizer": "adam"})
        else:
            model = self.model("Dense(4)", "Dense(1, name='a_name_that_is_far_too_long_for_its_column')")
        model.layers[0].trainable = kind != "frozen"
        lines = []
        model.summary(line_length=80, print_fn=lambda text, **_: lines.append(text))
        return "\n".join(lines).rstrip()


def plain(value):
    """Numbers as JSON holds them."""
    value = value.detach().numpy() if hasattr(value, "detach") else value
    return np.asarray(value, np.float64).round(7).tolist()


if __name__ == "__main__":
    import keras

    with warnings.catch_warnings(), contextlib.redirect_stderr(None):
        warnings.simplefilter("ignore")
        answers = {name: ask() for name, ask in Cases("keras").all.items()}
    ANSWERS.write_text(json.dumps({"keras": keras.__version__, **answers}, ensure_ascii=False) + "\n", "utf-8")
