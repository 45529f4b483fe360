"""Decide (决策): what is best. Questions of packs answered by optimisation, and the ledger of what was advised and what people made of it."""

from citybrain.brain.decide.ledger import SHORTEST, Decision, Posed, Verdict
from citybrain.brain.decide.questions import Questions
from citybrain.brain.decide.shelves import datasets, sources
from citybrain.brain.decide.store import METADATA

__all__ = ["METADATA", "SHORTEST", "Decision", "Posed", "Questions", "Verdict", "datasets", "sources"]
