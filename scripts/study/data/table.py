"""Tables: a row is an example, one column (or several) what to predict, the others its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from study.data.base import Tell
from study.data.decoded import Content, Decoded, digest_of
from study.support.errors import StudyError
from study.support.strict_yaml import suggestion

MISSING = ("mean", "indicator", "drop")


@dataclass(frozen=True)
class TableDataset(Decoded):
    """`{table: file.csv, target: column}`; a .parquet file will do as well.

    `missing` says what to do where values are missing: `mean` takes that of the training part,
    `indicator` adds a column that says where, and `drop` leaves these rows out. `leave_out` names
    columns that are not used.
    """

    form: ClassVar[str] = "table"
    keys: ClassVar[tuple[str, ...]] = ("target", "missing", "leave_out")
    required: ClassVar[tuple[str, ...]] = ("target",)

    @property
    def is_images(self) -> bool:
        """No: its rows are numbers."""
        return False

    def plain_task(self) -> str:
        """By the values of the target, which are read; several targets are quantities."""
        target = listed(self.options["target"])
        if len(target) > 1:
            return "regression"
        # With pandas, which planning does without where the config names the task.
        from study.data import table_reading

        return table_reading.plain_task(self.path, target[0], digest_of(self.path))

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """The target is one column or a list, and missing one of MISSING."""
        missing = options.get("missing")
        if missing not in (None, *MISSING):
            raise StudyError(
                f"data.dataset.missing: must be {', '.join(MISSING)}, is {missing!r}"
                f"{suggestion(missing, MISSING)}"
            )
        for key in ("target", "leave_out"):
            named = options.get(key, "x")
            if not named or not all(isinstance(name, str) for name in listed(named)):
                raise StudyError(f"data.dataset.{key}: must name a column, or list several")

    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """Numbers standardised and texts one-hot, as the training part has them."""
        # With pandas, which planning does without.
        from study.data.table_reading import TableFile

        return TableFile(self.path, self.options).read()


def listed(named: Any) -> list[Any]:
    """One name or several, as a list."""
    return named if isinstance(named, list) else [named]
