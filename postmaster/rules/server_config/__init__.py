"""The mail server's configuration: does it ask these tables, and the right questions?

``checking.check`` is what the surfaces call. Everything else is pure: ``texts`` says what
each text is, ``postfix_syntax`` and ``dovecot_syntax`` read it, ``judgement`` judges.

These texts hold passwords. What is read out of them is chosen by name, so a password is
never kept; ``masking`` covers what stands inside a value that is kept.
"""
