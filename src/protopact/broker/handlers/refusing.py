"""Answers that refuse a whole request with one error, for the faults that tests ask for."""

from __future__ import annotations
