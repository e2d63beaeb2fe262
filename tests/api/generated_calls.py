"""What Schemathesis is told about PostMaster; it imports this as its hooks.

Generated calls may delete the administrator that they are signed in as, or
change the password: so the one they use is put back and signed in anew, often.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pymysql
import requests
import schemathesis
from sqlalchemy.engine import make_url

from postmaster.rules import passwords

PASSWORD = "a password of the tests"
SECONDS = 0.5  # between two sign-ins
LONGEST_QUERY = 3800  # with its path it stays under gunicorn's limit

statuses: Counter[str] = Counter()
passwords.BCRYPT_COST = 4  # it signs in after every refusal, hundreds of times
hashed = passwords.hash_for_admin(PASSWORD)


@schemathesis.auth(refresh_interval=SECONDS)
class Keeper:
    """An administrator who is always there."""

    def get(self, _case: Any, _context: Any) -> str:
        """A new session's cookie."""
        url = make_url(os.environ["GENERATED_DATABASE"])
        connection = pymysql.connect(
            host=url.host or "",
            port=url.port or 0,
            user=url.username,
            password=url.password or "",
            database=url.database,
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "REPLACE INTO postmaster_admins (id, name, username, password, source, active)"
                " VALUES (2147480000, 'Keeper', 'keeper', %s, 'local', 1)",
                (hashed,),
            )
        form = {"username": "keeper", "password": PASSWORD}
        address = f"{os.environ['GENERATED_HOST']}/login"
        response = requests.post(address, data=form, allow_redirects=False, timeout=30)
        return response.cookies["postmaster"]

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Send the cookie with this call."""
        case.cookies = {"postmaster": data}


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """Leave out what gunicorn refuses by itself: a request line of over 4,094 bytes."""
    return len(urlencode(query or {}, doseq=True)) < LONGEST_QUERY


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Count the answers."""
    statuses[str(response.status_code)] += 1


@atexit.register
def write_statuses() -> None:
    """For the test, which reads how the calls ended."""
    Path(os.environ["GENERATED_STATUSES"]).write_text(json.dumps(statuses))
