"""All of ours that a pack may import: declarations, values, and nothing that opens a store."""

from citybrain.kernel.access import Role
from citybrain.kernel.alerts import Grade
from citybrain.kernel.bookings import Share, Sharing, Stay
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import Flow, Move, State
from citybrain.kernel.datasets import Advice, ForecastPoint, Reliability, Sheet, Skill
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, SHANGHAI, Duration, Instant, local, local_date, midnight
from citybrain.kernel.pack import (
    Board,
    Bookable,
    DemoDistrict,
    Derived,
    Forecast,
    ForecastModel,
    History,
    Indicator,
    Level,
    Nearby,
    Opens,
    Pack,
    Parameter,
    Planted,
    Question,
    Replay,
    Rule,
    Simulator,
    Slice,
    Tables,
)
from citybrain.kernel.parameters import in_force, read_parameters
from citybrain.kernel.places import Place
from citybrain.kernel.reports import ReportClass, ReportForm, Sample
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Agrees, By, Field, Kind, Life

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "SHANGHAI",
    "Advice",
    "Agrees",
    "Allowance",
    "Board",
    "Bookable",
    "By",
    "DeclarationError",
    "DemoDistrict",
    "Derived",
    "Duration",
    "Field",
    "Flow",
    "Forecast",
    "ForecastModel",
    "ForecastPoint",
    "Grade",
    "History",
    "Indicator",
    "Instant",
    "Kind",
    "Level",
    "Life",
    "Move",
    "Nearby",
    "Opens",
    "Pack",
    "Parameter",
    "Place",
    "Planted",
    "Question",
    "Reliability",
    "Replay",
    "ReportClass",
    "ReportForm",
    "Role",
    "Rule",
    "Sample",
    "Share",
    "Sharing",
    "Sheet",
    "Simulator",
    "Skill",
    "Slice",
    "State",
    "Stay",
    "Tables",
    "Text",
    "in_force",
    "local",
    "local_date",
    "midnight",
    "read_parameters",
    "same",
]
