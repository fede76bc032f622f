"""How many seeds a value has at each look, where it gets further ones until an answer is clear."""

import math
from collections.abc import Sequence


def looks(start: int, most: int) -> list[int]:
    """The numbers of seeds of all looks, from `start` to `most` (2 <= start <= most).

    They lie evenly by their logarithm, each as nearly as can be at twice the one before. More looks
    would leave each too little of the tests' level; fewer would train seeds that nobody needs.
    """
    steps = max(1, round(math.log2(most / start))) if most > start else 0
    found = [start * (most / start) ** (step / steps) for step in range(1, steps)]
    return sorted({start, *(round(each) for each in found), most})


def enough(seeds: Sequence[int], count: int) -> list[int]:
    """So many seeds: the study's `seeds`, and then the least numbers that are none of them."""
    known = list(seeds)
    further = (seed for seed in range(count + len(known)) if seed not in seeds)
    return [*known, *(next(further) for _ in range(count - len(known)))][:count]
