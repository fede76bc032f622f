"""Data of one's own by a function: scikit-learn's table of 569 breast tumours, 30 numbers each.

Copy it and change `load`. `configs/table.yaml` is a study of it.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x_train, y_train, x_test and y_test: numbers (n, 30), and the classes' names (n,)."""
    found = load_breast_cancer()
    names = found.target_names[found.target]
    x_train, x_test, y_train, y_test = train_test_split(
        found.data, names, test_size=0.2, random_state=0, stratify=names
    )
    # Numbers reach the network as they are. The test part has no say in how they are scaled.
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), y_train, scaler.transform(x_test), y_test
