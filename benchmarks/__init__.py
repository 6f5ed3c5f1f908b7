"""Benchmarks: `python -m benchmarks [name …]`, or `make bench`. Results: README.md here."""
