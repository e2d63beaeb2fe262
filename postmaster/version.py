"""Which PostMaster this is."""

VERSION = "2.1.0"
