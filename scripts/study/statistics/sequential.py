"""Looking again and again: how much of its level a test may spend at each look.

Replicates are added until an answer is clear, so that a test is made several times. Each of its
looks spends a part of the level: the part that its new replicates are of all that there may be.
Over all looks this comes to the level and no more. It is the third of the spending functions of Lan
and DeMets (Biometrika 70, 1983, 659-663), alpha t, with t the share of replicates that are there.

What the looks have in common is not made use of: by Bonferroni's inequality some look errs no more
often than the parts add up to, however they depend on each other. Boundaries by the looks' joint
distribution would need somewhat fewer replicates, but they take it for a normal one, which that of
t statistics of three replicates is not.

So a p-value that is divided by its look's part holds whenever one stops: it is a sequential p-value
(Liu and Anderson, JASA 103, 2008, 1621-1630). Holm's correction of such p-values keeps the level
over several hypotheses, also where some get further replicates and others do not (Maurer and Bretz,
Statistics in Biopharmaceutical Research 5, 2013, 311-320).
"""

from collections.abc import Sequence


def part(looks: Sequence[int], n: int) -> float:
    """The part of the level that the look at `n` replicates may spend.

    `looks` are the numbers of replicates of all looks, ascending; `n` is one of them.
    """
    place = looks.index(n)
    before = looks[place - 1] if place else 0
    return (n - before) / looks[-1]
