"""A MariaDB whose clock goes on when a test says so, by Debian's libfaketime."""

import math
import os
import time
from pathlib import Path

from tests.mariadb import MariaDB

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class ClockedMariaDB(MariaDB):
    """A server whose clock can be told that time has passed."""

    def __init__(self) -> None:
        super().__init__(hasty=True)
        self.ahead = 0.0
        self.clock = self.folder / "clock"
        self.pass_time(0)

    def command(self) -> list[str]:
        assert LIBRARY is not None, "ops/test installs faketime"
        environment = {
            "LD_PRELOAD": LIBRARY,
            "FAKETIME_TIMESTAMP_FILE": self.clock,
            "FAKETIME_NO_CACHE": 1,
            # How long something takes is true, and so are the times of files.
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
            "NO_FAKE_STAT": 1,
        }
        assignments = [f"{name}={value}" for name, value in environment.items()]
        return ["env", *assignments, *super().command()]

    def pass_time(self, seconds: int) -> None:
        """It is so many seconds later, and a second has just begun."""
        now = time.time()
        self.ahead = math.ceil(now + self.ahead) + seconds - now
        following = self.folder / "clock.new"
        following.write_text(f"+{self.ahead:.3f}")
        os.replace(following, self.clock)  # the server reads it all the time
