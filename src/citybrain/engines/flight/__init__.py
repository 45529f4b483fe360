"""The stores of one process for the others, by Arrow Flight."""

from citybrain.engines.flight.calls import Answer, Answers, Calls, plain
from citybrain.engines.flight.facts import RemoteFacts, facts_answers
from citybrain.engines.flight.series import Kept, RemoteSeries, series_answers

__all__ = ["Answer", "Answers", "Calls", "Kept", "RemoteFacts", "RemoteSeries", "facts_answers", "plain", "series_answers"]
