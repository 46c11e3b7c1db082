"""The estimators for scikit-learn: its own checks, and what they learn against its own estimators."""

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tapegrad.sklearn import MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks(
    [MLPClassifier(max_iter=30, random_state=0), MLPRegressor(max_iter=40, random_state=0), Perceptron(max_iter=20)]
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)
