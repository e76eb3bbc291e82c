"""The words every room shares, as frozen dataclasses: no behaviour beyond what their meaning needs."""
