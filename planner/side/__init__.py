"""The side program: what is decided beside the racks (sections 7a and 8a of `docs/model.md`)."""

from __future__ import annotations
