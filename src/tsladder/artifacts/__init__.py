"""Typed records of the files in `artifacts/` and `mlruns/studies/`: one module per file, with its only reader and
writer.

Every other package reads and writes those files through this one. `store` replaces files and appends to them; `record`
converts JSON to frozen dataclasses and back, and refuses a file of an unknown version.
"""
