"""Postfix's log, read as events: when a message is done, and what became of each recipient."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mail.daemon import end_of

SECONDS_TO_DELIVER = 30
PAUSE = 0.005  # seconds between two looks at the log

ENTRY = re.compile(r"postfix/\w+\[\d+\]: (?P<id>[0-9A-Za-z]{6,}): (?P<text>.*)")
BOUNCE = re.compile(r"sender non-delivery notification: (?P<id>[0-9A-Za-z]{6,})")
DELIVERY = re.compile(
    r"to=<(?P<to>[^>]*)>,(?: orig_to=<(?P<original>[^>]*)>,)?.* status=(?P<status>\w+)"
    r" \((?P<text>.*)\)"
)


@dataclass(frozen=True)
class Delivery:
    """The end of one recipient: ``sent``, ``bounced`` or ``deferred``, and the reason."""

    to: str
    original: str
    status: str
    text: str


class MailLog:
    """The log file, read on from where it was read last."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read = 0
        self._entries: dict[str, list[str]] = {}

    def _look(self) -> None:
        if not self.file.exists():
            return
        with self.file.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        for line in new.decode("utf-8", "replace").splitlines():
            if entry := ENTRY.search(line):
                self._entries.setdefault(entry["id"], []).append(entry["text"])

    def _is_done(self, queue_id: str) -> bool:
        """Whether nothing more happens by itself, also to the bounces that came of it."""
        texts = self._entries.get(queue_id, [])
        if "removed" not in texts and not any("status=deferred" in text for text in texts):
            return False
        return all(self._is_done(found["id"]) for text in texts if (found := BOUNCE.match(text)))

    def wait_for(self, queue_id: str) -> list[Delivery]:
        """The ends of a message's recipients, once all are known and its bounces have gone."""
        deadline = time.monotonic() + SECONDS_TO_DELIVER
        self._look()
        while not self._is_done(queue_id):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{queue_id} is not delivered:\n{end_of(self.file)}")
            time.sleep(PAUSE)
            self._look()
        return [
            Delivery(found["to"], found["original"] or found["to"], found["status"], found["text"])
            for text in self._entries[queue_id]
            if (found := DELIVERY.match(text))
        ]
