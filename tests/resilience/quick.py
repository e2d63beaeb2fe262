"""The application, with two constants smaller so that its tests are quick.

Nothing else differs: an admin's password is hashed at bcrypt's lowest cost, and a
database that holds the connection but says nothing is given up after three seconds.
"""

from flask import Flask

import postmaster
from postmaster import connections
from postmaster.rules import passwords


def create_app() -> Flask:
    passwords.BCRYPT_COST = 4
    connections.ANSWER_TIMEOUT = 3
    return postmaster.create_app()
