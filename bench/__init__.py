"""Benchmarks, run as `python -m bench.NAME`; each writes bench/results/NAME-*.json, `python -m bench.table` the pages."""
