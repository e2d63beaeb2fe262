"""What the product decides. A rule takes its session and its actor, and flushes."""
