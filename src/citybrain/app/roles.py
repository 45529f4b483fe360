"""What a process of a district in several processes does."""

from typing import Literal, TypeAlias

Role: TypeAlias = Literal["all", "ingest", "api", "worker"]
"""What a process does: everything; take observations in and keep them; answer people and programs; judge, figure and tidy."""
