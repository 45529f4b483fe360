"""act (处置): cases and their flows, who is responsible, deadlines and notices."""

from citybrain.brain.act.booking_fairness import STATE_WORDS
from citybrain.brain.act.booking_offers import Offers, Wanted
from citybrain.brain.act.booking_terms import Terms
from citybrain.brain.act.bookings import MOVE_WORDS, OWNERS, BookingMove, Bookings, Standing
from citybrain.brain.act.casebook import MOVED, OPENED, CaseBook
from citybrain.brain.act.flow import check_flow
from citybrain.brain.act.instructions import FOLLOWING, INSTRUCTED_STEPS, STANDINGS, TERMS, Following, Instruction, Instructions
from citybrain.brain.act.matches import Alike
from citybrain.brain.act.notices import Notice, Notices
from citybrain.brain.act.photos import LARGEST as LARGEST_PHOTO
from citybrain.brain.act.proofs import Proof, Proofs
from citybrain.brain.act.reports import Progress, ReportBook
from citybrain.brain.act.shelves import datasets, sources
from citybrain.brain.act.standard import STANDARD_FLOW
from citybrain.brain.act.store import METADATA
from citybrain.brain.act.units import Units, duty_words
from citybrain.brain.act.working import Working

__all__ = [
    "FOLLOWING",
    "INSTRUCTED_STEPS",
    "LARGEST_PHOTO",
    "METADATA",
    "MOVED",
    "MOVE_WORDS",
    "OPENED",
    "OWNERS",
    "STANDARD_FLOW",
    "STANDINGS",
    "STATE_WORDS",
    "TERMS",
    "Alike",
    "BookingMove",
    "Bookings",
    "CaseBook",
    "Following",
    "Instruction",
    "Instructions",
    "Notice",
    "Notices",
    "Offers",
    "Progress",
    "Proof",
    "Proofs",
    "ReportBook",
    "Standing",
    "Terms",
    "Units",
    "Wanted",
    "Working",
    "check_flow",
    "datasets",
    "duty_words",
    "sources",
]
