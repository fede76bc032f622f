"""The libraries that multiply matrices on a CPU, as configs and saved states name them."""

# The one that torch takes by itself, whatever it is on processors that MKL does not know.
MKL = "mkl"
ONEDNN = "onednn"

# Whichever is fastest of those that are right.
AUTO = "auto"


def named(library: str, digest: str) -> str:
    """How a saved state names the arithmetic with this `digest` (arithmetic.digest).

    MKL's is the digest alone, as it was before there was a choice.
    """
    return digest if library == MKL else f"{library} {digest}"


def of(arithmetic: str) -> str:
    """The library that `named` this, or that a state of before there were digests was made by."""
    library, has_name, _ = arithmetic.partition(" ")
    return library if has_name else MKL
