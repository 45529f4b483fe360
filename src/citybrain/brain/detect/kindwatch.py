"""One kind under watch: its entities as numbers, what is carried of them, and the state of its rules."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.detect.episodes import Episode, Lived, episodes, lived
from citybrain.brain.detect.expressions import Frame, Values
from citybrain.brain.detect.frames import Carry, Moments, New
from citybrain.brain.detect.rulebook import KindRules, Rulebook, is_number
from citybrain.brain.detect.states import Change, RuleState
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.things import Contract, Entity, Stream


class KindWatch:
    """Entities (e) with carried states and rules; the same contract holds for a field of all entities of the kind."""

    def __init__(self, rules: KindRules, rulebook: Rulebook, contracts: Sequence[Contract]) -> None:
        self.rules = rules
        self._rulebook = rulebook
        self._carry = Carry(contracts)
        self.fields = {field.name: place for place, field in enumerate(rules.measured)}
        self.states = [RuleState(rule) for rule in rules.rules]
        self.entities: list[Entity] = []
        self.places: dict[str, int] = {}
        self._stated: Mapping[str, NDArray[np.float64] | NDArray[np.object_]] = {}
        self._streams: dict[tuple[int, str], Stream] = {}
        stated = {field.name for field in rules.stated}
        self._of_forms = [number for number, state in enumerate(self.states) if stated.intersection(state.rule.uses)]
        """Rules that speak of what forms and feeds state."""
        self._asked: dict[int, int] = {}
        """The version of each entity that they were last asked about."""

    def meet(self, entities: Sequence[Entity], streams: Sequence[Stream]) -> None:
        """Know the entities as they are now; those known keep their number."""
        for entity in entities:
            place = self.places.setdefault(entity.id, len(self.places))
            if place == len(self.entities):
                self.entities.append(entity)
            self.entities[place] = entity
        self._streams = {(self.places[stream.entity], stream.field): stream for stream in streams if stream.entity in self.places}
        self._carry.room(len(self.entities))
        for state in self.states:
            state.room(len(self.entities))
        self._stated = {
            field.name: _numbers(self.entities, field.name) if is_number(field) else _texts(self.entities, field.name)
            for field in self.rules.stated
        }

    def restore(self, new: New) -> None:
        """Take the states as they were when the program stopped."""
        self._carry.restore(new)

    def promise(self, contracts: Sequence[Contract]) -> None:
        """Judge values by these contracts from now on."""
        self._carry.promise(contracts)

    def doubt(self, entity: NDArray[np.int64], field: NDArray[np.int64]) -> None:
        """Take the fields of some entities, and no others, to be contradicted from now on."""
        self._carry.doubt(entity, field)

    def take(self, new: New, touched: dict[int, set[int]]) -> Iterator[tuple[Change, Moments]]:
        """Ask every rule about new observations; ``touched`` collects entities by rule whose state changed."""
        moments = self._carry.take(new)
        if not len(moments.entity):
            return
        yield from self._ask(range(len(self.states)), moments, touched)

    def go_back(
        self, struck: New, stands: New | None, now: Instant, touched: dict[int, set[int]]
    ) -> Iterator[tuple[Change, Moments]]:
        """Take what stands of fields of which readings were struck out, and ask every rule anew, as if these had never come."""
        self._carry.forget(struck.entity, struck.field)
        if stands is not None:
            self._carry.restore(stands)
        yield from self._ask(range(len(self.states)), self._carry.now(np.unique(struck.entity), now), touched)

    def wait(self, now: Instant, touched: dict[int, set[int]]) -> Iterator[tuple[Change, Moments]]:
        """Ask the rules that wait for their time to be up, as things stand now."""
        for number, state in enumerate(self.states):
            pending = state.pending()
            if len(pending):
                yield from self._ask((number,), self._carry.now(pending, now), touched)

    def restate(self, now: Instant, touched: dict[int, set[int]]) -> Iterator[tuple[Change, Moments]]:
        """Ask the rules of forms about entities that are new or stand changed since they were last asked; after a start, about all."""
        if not self._of_forms:
            return
        changed = [place for place, entity in enumerate(self.entities) if self._asked.get(place) != entity.version]
        if changed:
            self._asked |= {place: self.entities[place].version for place in changed}
            yield from self._ask(self._of_forms, self._carry.now(np.array(changed, np.int64), now), touched)

    def again(self, now: Instant, touched: dict[int, set[int]]) -> Iterator[tuple[Change, Moments]]:
        """Ask every rule about all entities as they stand now: limits have changed."""
        if self.entities:
            yield from self._ask(range(len(self.states)), self._carry.now(np.arange(len(self.entities)), now), touched)

    def relive(self, new: New, until: Instant) -> Lived:
        """A stretch of history as it was lived, ready to be judged anew; for a watch of its own, for what is carried moves on."""
        moments, came = self._carry.relive(new)
        return lived(moments, came, self._carry.deaths(moments, came, until), until)

    def retell(self, state: RuleState, past: Lived, parameters: Values, pause: Duration) -> Iterator[Episode]:
        """What a rule would have told of a lived stretch with these parameters, in the order of entities."""
        with np.errstate(all="ignore"):
            holds, clears = state.judged(self._frame(past.moments, parameters))
        return episodes(past, holds, clears, state.rule.lasting, pause)

    def seen(self, change: Change, moments: Moments) -> dict[str, float | str | None]:
        """All values that words may name, at the row of a change; None for none."""
        values: dict[str, float | str | None] = dict(self._parameters(change.rule.pack))
        for field in self.rules.stated:
            stated = self.entities[change.entity].body.get(field.name)
            values[field.name] = stated if isinstance(stated, str | int | float) else None
        for name, place in self.fields.items():
            number = float(moments.fields[change.row, place])
            values[name] = number if np.isfinite(number) else None
        return values

    def evidence(self, change: Change, moments: Moments) -> tuple[Evidence, ...]:
        """The readings that a change rests on."""
        found = []
        for name in change.rule.uses:
            place = self.fields.get(name)
            if place is None or not np.isfinite(moments.fields[change.row, place]):
                continue
            stream = self._streams[change.entity, name]
            time, value = Instant(int(moments.seen[change.row, place])), float(moments.fields[change.row, place])
            found.append(Evidence(stream.id, time, value, stream.unit))
        return tuple(found)

    def _ask(self, numbers: Sequence[int], moments: Moments, touched: dict[int, set[int]]) -> Iterator[tuple[Change, Moments]]:
        frames: dict[str, Frame] = {}
        with np.errstate(all="ignore"):
            for number in numbers:
                state = self.states[number]
                pack = state.rule.pack
                if pack not in frames:
                    frames[pack] = self._frame(moments, self._parameters(pack))
                for change in state.judge(frames[pack], moments, touched.setdefault(number, set())):
                    yield change, moments

    def _frame(self, moments: Moments, values: Values) -> Frame:
        count = len(moments.entity)
        parameters = {name: _spread(value, count) for name, value in values.items()}
        stated = {name: column[moments.entity] for name, column in self._stated.items()}
        measured = {name: moments.fields[:, place] for name, place in self.fields.items()}
        return {"": moments.time.astype(np.float64), **parameters, **stated, **measured}

    def _parameters(self, pack: str) -> Values:
        return self._rulebook.parameters(pack)


def _spread(value: float | str, count: int) -> NDArray[np.float64] | NDArray[np.object_]:
    return np.full(count, value, object) if isinstance(value, str) else np.full(count, value, np.float64)


def _numbers(entities: Sequence[Entity], name: str) -> NDArray[np.float64]:
    stated = [entity.body.get(name) for entity in entities]
    return np.array([float(value) if isinstance(value, int | float) else np.nan for value in stated], np.float64)


def _texts(entities: Sequence[Entity], name: str) -> NDArray[np.object_]:
    stated = [entity.body.get(name) for entity in entities]
    texts = np.full(len(stated), None, object)
    texts[:] = [value if isinstance(value, str) else None for value in stated]
    return texts
