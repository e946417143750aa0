"""The demo dataset: abstract compositions made by code, with metadata and boxes, the same ones every time.

A new user sees the whole loop work on them before adding anything. Nothing in them is copied from anybody's pictures.
"""

from datasets.demo.collection import LABELS, TOTAL, Composition, compositions

__all__ = ["LABELS", "TOTAL", "Composition", "compositions"]
