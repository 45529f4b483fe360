"""protect (防护): who may, who did: accounts, sessions, devices, policy, masking, audit."""

from citybrain.brain.protect.accounts import Account, Accounts, Timeouts
from citybrain.brain.protect.actions import ACTIONS
from citybrain.brain.protect.attempts import Limits, network
from citybrain.brain.protect.audit import AuditTrail
from citybrain.brain.protect.csrf import fits, form_token
from citybrain.brain.protect.devices import Devices
from citybrain.brain.protect.guard import BoundReader, Guard
from citybrain.brain.protect.policy import CedarPolicy, policies
from citybrain.brain.protect.shelves import datasets, sources
from citybrain.brain.protect.store import METADATA

__all__ = [
    "ACTIONS",
    "METADATA",
    "Account",
    "Accounts",
    "AuditTrail",
    "BoundReader",
    "CedarPolicy",
    "Devices",
    "Guard",
    "Limits",
    "Timeouts",
    "datasets",
    "fits",
    "form_token",
    "network",
    "policies",
    "sources",
]
