"""Which PostMaster this is."""

VERSION = "2.0.0"
