"""Observe (感知): what is. Things and areas registered, observations taken in, latest values with their life, fields derived."""

from citybrain.brain.observe.acting import Act, Coming, Saying, Wanted
from citybrain.brain.observe.altered import Altered, readable
from citybrain.brain.observe.areas import AreaBook
from citybrain.brain.observe.arrivals import awaited, settled
from citybrain.brain.observe.beside import AS_BEFORE, About, Anew, EndedError, Having, Lags
from citybrain.brain.observe.census import Census
from citybrain.brain.observe.checking import Checks, plausible
from citybrain.brain.observe.corrected import Correction, Ending, Kept
from citybrain.brain.observe.corrections import Corrections
from citybrain.brain.observe.declaring import contract_of
from citybrain.brain.observe.derive import Deriver
from citybrain.brain.observe.doubts import Doubt, Doubts, Judged
from citybrain.brain.observe.entering import Spot, declared_elsewhere
from citybrain.brain.observe.exported import is_export, read_export
from citybrain.brain.observe.featured import Featured
from citybrain.brain.observe.following import Following
from citybrain.brain.observe.formats import FORMS, read_pieces
from citybrain.brain.observe.gaps import Gap
from citybrain.brain.observe.gathering import Gathering
from citybrain.brain.observe.horizon import Horizon, Span, check_days
from citybrain.brain.observe.inlet import Inlet
from citybrain.brain.observe.intake import Intake, Verdict
from citybrain.brain.observe.latest import Latest, Reading
from citybrain.brain.observe.learning import Broken, Learned
from citybrain.brain.observe.life import contracts, life, lives
from citybrain.brain.observe.made import (
    FEATURE,
    LOCATION,
    MADE,
    MadeGroup,
    MadePast,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
)
from citybrain.brain.observe.making import Beside, Draft, Links, Making
from citybrain.brain.observe.marked import MARKS, STANDING
from citybrain.brain.observe.nearest import WALK_BASIS, Found, Nearest
from citybrain.brain.observe.past import Recent, history, missing, struck
from citybrain.brain.observe.peers import KNOWN_HOURS
from citybrain.brain.observe.permission import permitted
from citybrain.brain.observe.placed import Stood
from citybrain.brain.observe.promises import Promise, Promises
from citybrain.brain.observe.recalling import stays
from citybrain.brain.observe.registry import MovedError, Noun, Registry
from citybrain.brain.observe.respelling import new_word, set_result, spelt
from citybrain.brain.observe.restated import Restated
from citybrain.brain.observe.resting import Rested
from citybrain.brain.observe.revising import CORRECTION, RESTORED, UNSAID, Change, Changed, Preview, setting, strike
from citybrain.brain.observe.rows import Rows, because, lenient, read_rows, read_series, unread, whole
from citybrain.brain.observe.shelves import datasets
from citybrain.brain.observe.signing import Signed, signed
from citybrain.brain.observe.siting import Where
from citybrain.brain.observe.sources import sources
from citybrain.brain.observe.spelling import verify_words
from citybrain.brain.observe.store import METADATA
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.brain.observe.texts import Runs
from citybrain.brain.observe.together import Together
from citybrain.brain.observe.told import latest_json
from citybrain.brain.observe.travelling import Answer, Piece, column_pieces, joined, pieces, rows_of, taken
from citybrain.brain.observe.unsaid import Silence, Unsaid
from citybrain.brain.observe.worded import UNMEASURED, UnfitError, Worded, fitted
from citybrain.brain.observe.wording import written

__all__ = [
    "AS_BEFORE",
    "CORRECTION",
    "FEATURE",
    "FORMS",
    "KNOWN_HOURS",
    "LOCATION",
    "MADE",
    "MARKS",
    "METADATA",
    "NOTHING",
    "RESTORED",
    "STANDING",
    "STRUCK",
    "UNMEASURED",
    "UNSAID",
    "WALK_BASIS",
    "About",
    "Act",
    "Altered",
    "Anew",
    "Answer",
    "AreaBook",
    "Beside",
    "Broken",
    "Census",
    "Change",
    "Changed",
    "Checks",
    "Coming",
    "Correction",
    "Corrections",
    "Deriver",
    "Doubt",
    "Doubts",
    "Draft",
    "EndedError",
    "Ending",
    "Featured",
    "Following",
    "Found",
    "Gap",
    "Gathering",
    "Having",
    "Horizon",
    "Inlet",
    "Intake",
    "Judged",
    "Kept",
    "Lags",
    "Latest",
    "Learned",
    "Links",
    "MadeGroup",
    "MadePast",
    "MadeProperty",
    "MadeSensor",
    "MadeStream",
    "MadeThing",
    "MadeUnit",
    "Making",
    "MovedError",
    "Nearest",
    "Noun",
    "Piece",
    "Preview",
    "Promise",
    "Promises",
    "Reading",
    "Recent",
    "Registry",
    "Restated",
    "Rested",
    "Rows",
    "Runs",
    "Saying",
    "Signed",
    "Silence",
    "Span",
    "Spot",
    "Stood",
    "Together",
    "UnfitError",
    "Unsaid",
    "Verdict",
    "Wanted",
    "Where",
    "Worded",
    "awaited",
    "because",
    "check_days",
    "column_pieces",
    "contract_of",
    "contracts",
    "datasets",
    "declared_elsewhere",
    "fitted",
    "history",
    "is_export",
    "joined",
    "latest_json",
    "lenient",
    "life",
    "lives",
    "missing",
    "new_word",
    "permitted",
    "pieces",
    "plausible",
    "read_export",
    "read_pieces",
    "read_rows",
    "read_series",
    "readable",
    "rows_of",
    "set_result",
    "setting",
    "settled",
    "signed",
    "sources",
    "spelt",
    "stays",
    "strike",
    "struck",
    "taken",
    "unread",
    "verify_words",
    "whole",
    "written",
]
