"""Layers with Keras's names, arguments, defaults and layout of data."""

from .base import Input, InputLayer, Layer
from .core import Activation, Dense, Dropout, Flatten, LeakyReLU, ReLU, Reshape, Softmax
from .images import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from .normalization import BatchNormalization, LayerNormalization
from .sequences import GRU, LSTM, Embedding, SimpleRNN

MaxPool2D, AvgPool2D, GlobalAvgPool2D, Convolution2D = MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, Conv2D

__all__ = [
    "GRU", "LSTM", "Activation", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Conv2D", "Convolution2D",
    "Dense", "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAvgPool2D",
    "GlobalMaxPooling2D", "Input", "InputLayer", "Layer", "LayerNormalization", "LeakyReLU", "MaxPool2D",
    "MaxPooling2D", "ReLU", "Reshape", "SimpleRNN", "Softmax",
]  # fmt: skip
