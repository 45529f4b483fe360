"""Words: every word of the pages that does not come in a view, in both languages, Chinese first; a file for each part."""

from citybrain.kernel.text import Text
from citybrain.web.words import admin, blocks, booking, city, data, deciding, frame, reports

PARTS = (admin, blocks, booking, city, data, deciding, frame, reports)
WORDS: dict[str, Text] = {key: word for part in PARTS for key, word in part.WORDS.items()}
