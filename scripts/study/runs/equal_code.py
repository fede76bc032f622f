"""Training code that differs byte for byte and is known to train the same bytes.

A run's fingerprint holds the digest of its training code. Where an edit changed that digest and
nothing of what is learned, the new code goes by the digest of the old, so that no finished run is
trained again. An entry holds for exactly these bytes: the next edit has a digest of its own.
"""

# Digest of the code -> the digest that it goes by.
SAME = {
    # Moved into the room `learning`: the modules import one another from there, and two docstrings
    # say where to look. Studies trained by both had the same records, weights and saved states.
    "5af283cf162eb7dc": "bf34fe8bec50db6c",
    # Behind the seams of model and objective. Eight runs of both, with every kind of optimizer,
    # dropout, averaging, augmentation, bfloat16, held-out images and divergence, extended by seeds
    # and epochs, had the same records, weights and saved states.
    "a476b68f5ed5249d": "bf34fe8bec50db6c",
    # With schedules and gradients cut, off unless a study sets them. Ten runs of both, with all
    # optimizers and most settings, extended by seeds and epochs, had the same measures and states.
    "568ef88cd637968d": "bf34fe8bec50db6c",
    # With class weights, off unless a study sets them: eleven runs of the perceptron, with all
    # optimizers and one that diverged, and five of the cnn, extended by seeds and epochs.
    "e1d449087760829f": "bf34fe8bec50db6c",
    "dd51092637a1a577": "45587d03c6b725ce",
    # The syntax of the same code, as accept_code.py compares it.
    "8035aa65cb8f36a1": "791a5e86d82d340d",
    "ebd331d1851c0d4f": "791a5e86d82d340d",
    "ea29c6d49e507519": "791a5e86d82d340d",
    "b3dc441fa331d230": "063616721bf0dd9e",
}


def same_code(digest: str) -> str:
    """The digest that training code goes by: its own, unless it is known to train the same."""
    return SAME.get(digest, digest)
