"""What Apache's mod_wsgi and gunicorn load."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from postmaster import create_app  # noqa: E402 -- the path comes first

application = create_app()
