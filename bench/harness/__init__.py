"""What scripts/bench and bench/soak are made of. Python's standard library only; bench/README.md has the method."""
