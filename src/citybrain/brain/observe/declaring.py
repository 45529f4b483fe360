"""What a declared field makes of an entity: a stream, and what that promises. Pure."""

from citybrain.kernel.instant import Duration, duration, minute_of
from citybrain.kernel.things import Contract, Entity, Field, Stream


def contract_of(field: Field) -> Contract:
    """What a stream of a field promises, from the field's declaration."""
    spans = _span(field.every), _span(field.silent_after), _span(field.stuck_after)
    hours = (None, None) if field.hours is None else tuple(map(minute_of, field.hours))
    return Contract(*spans, *field.range, *hours, *(field.agrees or (None, 1.0)))


def _span(written: str | None) -> Duration | None:
    return None if written is None else duration(written)


def stream_of(entity: Entity, field: Field, no: int, source: str) -> Stream:
    """The stream of a measured field, under a number; it comes from a source."""
    name = f"{entity.id}.{field.name}"
    return Stream(name, no, entity.id, entity.kind, field.name, field.unit or "1", contract_of(field), source, entity.origin)
