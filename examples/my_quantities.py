"""Quantities of one's own by a function: scikit-learn's table of 442 patients with diabetes.

Copy it and change `load`. `configs/quantities.yaml` is a study of it.
"""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x_train, y_train, x_test and y_test: numbers (n, 10), and the disease's progress (n,)."""
    x, y = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    # Numbers reach the network as they are. The test part has no say in how they are scaled.
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), y_train, scaler.transform(x_test), y_test
