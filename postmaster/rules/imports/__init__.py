"""Bulk: read a file of domains, users and aliases, plan what it would do, and do it."""
