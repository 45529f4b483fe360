"""The settings of a command: those of its configuration, and what was given with it."""

import argparse

from citybrain.app import settings as sources
from citybrain.app.settings import Settings


def settings_of(given: argparse.Namespace, **more: object) -> Settings:
    """The settings; ``more`` stands before the configuration, what was given before both. Raises BadInputError."""
    names = ("state", "port", "mqtt_port", "hosts", "role")
    return sources.load(
        given.config, {**more, **{name: getattr(given, name, None) for name in names if getattr(given, name, None) is not None}}
    )
