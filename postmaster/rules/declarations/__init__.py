"""Declarative: a YAML file says what is to be there, and the tables are made so."""
