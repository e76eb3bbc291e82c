"""Say where each item came from and how sensitive it is; never whether it may go."""

from gateway.labeling.label import label

__all__ = ["label"]
