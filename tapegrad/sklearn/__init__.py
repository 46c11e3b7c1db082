"""Estimators for scikit-learn (an optional extra: pip install scikit-learn), named and called as its own."""

from .mlp import MLPClassifier, MLPRegressor
from .perceptron import Perceptron

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron"]
