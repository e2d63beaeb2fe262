#!/usr/bin/env python3
"""PostMaster's commands: `manage.py --help` lists them."""

import os

from postmaster import cli, create_app

if __name__ == "__main__":
    os.umask(0o027)  # an SQLite file holds every hash: not for everybody's eyes
    cli.commands(create_app).main()
