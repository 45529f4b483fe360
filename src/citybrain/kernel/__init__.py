"""The shared language: nouns, declarations, ports, predicates, errors, time, places, units. Knows no pack and no vendor."""
