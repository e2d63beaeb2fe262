"""The tables of PostfixAdmin 2.3 to 4.0, as CSV with their headers.

The columns are those of its ``public/upgrade.php``, which makes the tables.
"""

from .dumps import ALIAS, ALIAS_DOMAIN, DOMAIN, MAILBOX, Program

PROGRAM = Program(
    "PostfixAdmin",
    {
        ALIAS_DOMAIN: frozenset({"alias_domain", "target_domain", "active"}),
        MAILBOX: frozenset({"username", "password", "domain", "maildir", "active"}),
        ALIAS: frozenset({"address", "goto", "domain", "active"}),
        DOMAIN: frozenset({"domain", "aliases", "mailboxes", "active"}),
    },
)
read = PROGRAM.read
recognises = PROGRAM.recognises
