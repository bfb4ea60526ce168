"""Typed records of the files in `artifacts/` and `mlruns/studies/`: a module a file, with its one reader and writer.

Every other package reads and writes those files through here. `store` replaces and appends to files; `record` turns
JSON into frozen dataclasses and back, and refuses a file of an unknown version.
"""
