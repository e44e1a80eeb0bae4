"""The documentation site: `make docs`, or `python -m docs.site`.

`stage` copies the pages of docs/ and writes those that come of the registry, the tests and the measurements, into a folder;
Sphinx makes HTML of that, without the network, and a warning is an error.
"""
