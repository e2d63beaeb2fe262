#!/usr/bin/env python3
"""PostMaster's commands: `manage.py --help` lists them."""

from postmaster import cli, create_app

if __name__ == "__main__":
    cli.commands(create_app).main()
