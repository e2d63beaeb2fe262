"""The tree that everything is installed into."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A clean one for each test."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a tree to install into")
    with Tree(tmp_path) as made:
        yield made
