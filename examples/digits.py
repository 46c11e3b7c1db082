"""Train a small neural network to read handwritten digits, and draw what it learned.

    python examples/digits.py                            1,797 images of 8x8 from scikit-learn, about a second
    python examples/digits.py --data mnist --root FOLDER   70,000 images of 28x28, from the four MNIST files

Replace tapegrad by torch in the imports and the same network is trained by PyTorch, from the same random numbers.
"""

import argparse
import json
import time
from pathlib import Path

from _data import DATA_SETS, load
from _figure import draw
from tqdm import tqdm

import tapegrad as tg
from tapegrad import nn
from tapegrad.utils.data import DataLoader, TensorDataset

EPOCHS = {"digits": 20, "mnist": 5}


def build_model(pixels):
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, 256), nn.ReLU(), nn.Linear(256, 10))


def train(model, train_set, test_images, test_labels, epochs):
    """Returns the loss of every step and the test accuracy after every epoch."""
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.002)
    losses, accuracies = [], []

    with tqdm(total=epochs * len(loader), unit="step") as bar:
        for epoch in range(1, epochs + 1):
            model.train()
            for images, labels in loader:
                optimizer.zero_grad()
                loss = loss_fn(model(images), labels)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                bar.update()

            mean_loss = sum(losses[-len(loader) :]) / len(loader)
            accuracies.append(accuracy(predict(model, test_images), test_labels))
            bar.write(f"epoch {epoch:2}: loss {mean_loss:.4f}, test accuracy {accuracies[-1]:.2%}")
    return losses, accuracies


def predict(model, images):
    """The probability of each of the ten digits, (count, 10)."""
    model.eval()
    with tg.no_grad():
        return nn.functional.softmax(model(images), dim=1)


def accuracy(probabilities, labels):
    return (probabilities.argmax(dim=1) == labels).float().mean().item()


def engine():
    """What computes, in words. PyTorch has no choice of backends to ask for."""
    name = f"{tg.__name__} {tg.__version__}"
    return f"{name}, backend {tg.backends.current().name}" if hasattr(tg.backends, "current") else name


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", choices=DATA_SETS, default="digits", help="which images (default: digits)")
    add("--root", type=Path, default=Path("data"), help="the folder of the MNIST files (default: data)")
    add("--epochs", type=int, help="passes over the data (default: 20 for digits, 5 for mnist)")
    add("--seed", type=int, default=0, help="of the weights and the order of the images (default: 0)")
    add("--out", type=Path, default=Path("digits.png"), help="the figure (default: digits.png)")
    add("--no-plot", action="store_true", help="draw no figure")
    add("--losses", type=Path, help="write the loss of every step to this file, as JSON")
    options = parser.parse_args()
    options.epochs = EPOCHS[options.data] if options.epochs is None else options.epochs
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {options.epochs}")
    for file in (None if options.no_plot else options.out, options.losses):
        if file is not None and not file.parent.is_dir():
            parser.error(f"there is no folder '{file.parent}' to write {file.name} to; make it first")
    return options


def main():
    options = arguments()
    try:
        data = load(options.data, options.root)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None

    tg.manual_seed(options.seed)
    train_images, train_labels, test_images, test_labels = (tg.tensor(array) for array in data)
    model = build_model(train_images[0].numel())
    print(f"{engine()}: {len(train_images):,} training images, {len(test_images):,} test images")

    start = time.perf_counter()
    train_set = TensorDataset(train_images, train_labels)
    losses, accuracies = train(model, train_set, test_images, test_labels, options.epochs)
    seconds = time.perf_counter() - start

    probabilities = predict(model, test_images)
    correct = (probabilities.argmax(dim=1) == test_labels).sum().item()
    print(f"test accuracy {correct / len(test_labels):.2%} ({correct} of {len(test_labels)})")
    print(f"trained in {seconds:.2f} s: {len(losses)} steps of {1e6 * seconds / len(losses):.0f} µs")

    if options.losses:
        record = {"losses": losses, "correct": correct, "tested": len(test_labels), "engine": engine()}
        options.losses.write_text(json.dumps(record), encoding="utf-8")
    if not options.no_plot:
        title = f"{options.data}: {correct / len(test_labels):.2%} of {len(test_labels):,} test images read rightly"
        draw(options.out, f"{title} ({engine()}, {seconds:.1f} s)", losses, accuracies,
             data.test_images, data.test_labels, probabilities.numpy())  # fmt: skip
        print(f"figure: {options.out}")


if __name__ == "__main__":
    main()
