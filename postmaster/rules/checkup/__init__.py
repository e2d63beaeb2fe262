"""The checkup: what is wrong in the tables, what it means for mail, and what mends it."""
