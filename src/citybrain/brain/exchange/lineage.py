"""Lineage: what a thing is made from and what is made of it, near and far; and the edges that packs declare by themselves."""

from collections.abc import Callable, Iterable, Sequence

from citybrain.kernel.datasets import Edge
from citybrain.kernel.pack import Pack


def up(name: str, edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Every edge that leads to a name, nearest first; a circle is walked once."""
    return _walk(name, tuple(edges), lambda edge: edge.target, lambda edge: edge.source)


def down(name: str, edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Every edge that starts from a name, nearest first; a circle is walked once."""
    return _walk(name, tuple(edges), lambda edge: edge.source, lambda edge: edge.target)


def declared(packs: Sequence[Pack]) -> tuple[Edge, ...]:
    """The edges that follow from packs: derived fields, rules to alerts and cases, indicators, forecasts."""
    found: dict[Edge, None] = {}
    for pack in packs:
        found.update(dict.fromkeys(_edges(pack)))
    return tuple(found)


def _edges(pack: Pack) -> Iterable[Edge]:
    if pack.replay is not None:
        yield from (Edge(f"replay:{pack.name}", kind.name, "replay") for kind in pack.kinds)
    for derived in pack.derived:
        here = f"{derived.kind}.{derived.field}"
        yield from (Edge(f"{derived.kind}.{given}", here, f"derive {here}") for given in derived.inputs)
        yield Edge(here, derived.kind, "field")
    for rule in pack.rules:
        yield Edge(rule.on, "alert", f"rule {rule.name}")
        if rule.opens is not None:
            yield Edge("alert", "case", f"rule {rule.name}")
    for one in pack.indicators:
        job = f"indicator {one.name} v{one.version}"
        yield from (Edge(given.removeprefix("stream:"), f"figure:{one.name}", job) for given in one.inputs)
    for forecast in pack.forecasts:
        ahead = f"forecast:{forecast.name}"
        yield from (Edge(f"{forecast.kind}.{given}", ahead, f"forecast {forecast.name}") for given in forecast.inputs)


def _walk(start: str, edges: Sequence[Edge], here: Callable[[Edge], str], there: Callable[[Edge], str]) -> tuple[Edge, ...]:
    found: dict[Edge, None] = {}
    reached, front = {start}, [start]
    while front:
        near = [edge for name in front for edge in edges if here(edge) == name and edge not in found]
        found.update(dict.fromkeys(near))
        front = [name for name in dict.fromkeys(map(there, near)) if name not in reached]
        reached.update(front)
    return tuple(found)
