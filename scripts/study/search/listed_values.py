"""The values that experiments list, alone or combined: all are known beforehand."""

import pandas as pd

from study.search.base import Request, request_of, untrained
from study.spec.plan import Plan


class ListedValues:
    """Every run of the plan, in one round: equal values of several experiments share one."""

    def propose(self, plan: Plan, metrics: pd.DataFrame) -> list[Request]:
        """The runs of the plan that are not trained yet."""
        return untrained(map(request_of, plan.runs), plan, metrics)
