"""The words and the request of an alert: what people are told, and the case that is asked for. Pure."""

from citybrain.kernel.alerts import Alert, Evidence, Grade
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Opens
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity


def alert_for(
    rule: str,
    version: str,
    entity: Entity,
    grade: Grade,
    began: Instant,
    told: Instant,
    because: Text,
    basis: Text,
    evidence: tuple[Evidence, ...],
) -> Alert:
    """A new alert of a rule on an entity, open and without a case."""
    return Alert(
        new_id(),
        rule,
        version,
        entity.id,
        entity.area,
        grade,
        "open",
        began,
        told,
        None,
        because,
        basis,
        evidence,
        None,
        entity.origin,
    )


def request_for(alert: Alert, entity: Entity, opens: Opens) -> CaseRequest:
    """The case that an alert asks for; its key is the episode, so that asking twice opens one."""
    return CaseRequest(
        key=f"alert:{alert.rule}:{alert.entity}:{alert.began}",
        matter=opens.matter,
        title=opens.title,
        flow=opens.flow,
        duty=opens.duty,
        allowance=opens.allowance,
        place=entity.place,
        area=alert.area,
        entity=entity.id,
        cause=f"alert:{alert.id}",
        words=alert.because.zh,
        at=alert.told,
        grade=int(alert.grade),
        origin=alert.origin,
    )
