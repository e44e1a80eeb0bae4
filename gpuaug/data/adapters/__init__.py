"""Datasets in other people's formats, over one protocol: a row by its number, its images encoded (`rows.py`)."""
