"""Lesson 10: a convolutional network on digits. The filters it learned, the feature maps they give, and shifted digits.

A convolution looks for the same small pattern everywhere. So it needs few weights, and a digit that moved by a pixel
is no stranger to it, as it is to a network that learned each pixel's place by heart.
"""

from _common import digits, run
from _drawings import draw_cnn

import tapegrad as tg
from tapegrad import nn
from tapegrad.utils.data import DataLoader, TensorDataset


def build_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8, 24, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(3),  # of each of the 24 maps keep the strongest answer in each ninth of the picture
        nn.Flatten(), nn.Linear(24 * 9, 10),
    )  # fmt: skip


def build_mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 54), nn.ReLU(), nn.Linear(54, 10))


def train(model, images, labels, epochs=25):
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)
    optimizer, loss_fn = tg.optim.Adam(model.parameters(), lr=0.004), nn.CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()
    return model


def accuracy(model, images, labels):
    with tg.no_grad():
        return (model(images).argmax(dim=1) == labels).float().mean().item()


def shifted(images, pixels):
    """The images, (count, 1, 8, 8), moved to the right (to the left if negative); what was empty is 0."""
    moved = tg.zeros_like(images)
    if pixels >= 0:
        moved[..., pixels:] = images[..., : 8 - pixels]
    else:
        moved[..., :pixels] = images[..., -pixels:]
    return moved


def shift_test(models, images, labels, shifts=(-2, -1, 0, 1, 2)):
    return shifts, {name: [accuracy(m, shifted(images, s), labels) for s in shifts] for name, m in models.items()}


def feature_maps(model, image):
    """What the first convolution sees in one image, (8, 8, 8), and the second, (24, 8, 8)."""
    with tg.no_grad():
        first = model[1](model[0](image[None]))
        second = model[3](model[2](first))
    return first[0].numpy(), second[0].numpy()


def main():
    data = digits()
    images, test = (tg.tensor(part).unsqueeze(1) for part in (data.train_images, data.test_images))
    labels, test_labels = tg.tensor(data.train_labels), tg.tensor(data.test_labels)
    models = {"CNN": train(build_cnn(), images, labels), "MLP": train(build_mlp(), images, labels)}
    sizes = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    for name, model in models.items():
        print(
            f"{name}: {accuracy(model, test, test_labels):.1%} of the unseen digits right, with {sizes[name]:,} weights"
        )
    shifts, results = shift_test(models, test, test_labels)
    one = {name: (values[1] + values[3]) / 2 for name, values in results.items()}
    print(f"Moved by one pixel of eight, never seen so: CNN {one['CNN']:.0%}, MLP {one['MLP']:.0%}.")
    three = test[int((test_labels == 3).nonzero()[0])]
    filters = models["CNN"][0].weight.detach().numpy()[:, 0]
    return draw_cnn(three[0].numpy(), filters, feature_maps(models["CNN"], three), (shifts, results), sizes)


if __name__ == "__main__":
    run(main, __file__)
