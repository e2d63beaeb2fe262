"""What the comparison of trace and mail server came to, for the end of the tests' output.

A test leaves it in its report, which also comes from another process.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

PROPERTY = "trace and mail server"


@dataclass(frozen=True)
class Agreed:
    """How many addresses of how many tables were compared, and the seed of both."""

    addresses: int
    tables: int
    seed: int

    def record(self, record_property: Callable[[str, object], None]) -> None:
        """Leave it in the report of the test."""
        record_property(PROPERTY, asdict(self))


def summary(reports: Iterable[Any]) -> str:
    """One sentence about these reports of tests that passed; empty if none compares."""
    found = [
        Agreed(**value)
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if not found:
        return ""
    addresses = sum(one.addresses for one in found)
    tables = sum(one.tables for one in found)
    seed = found[0].seed
    return f"trace and Postfix agreed on {addresses:,} addresses of {tables} tables, seed {seed}"
