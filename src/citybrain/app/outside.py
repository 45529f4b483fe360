"""Readings from a broker that the district has already, taken as those of one device account."""

from citybrain.app.city import City
from citybrain.brain.observe import Verdict
from citybrain.doors.mqtt import PREFIX, MqttDoor
from citybrain.doors.sensorthings import VERSION
from citybrain.engines.mqtt_client import Subscription
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, BusyError
from citybrain.kernel.text import Text


def outside(city: City, door: MqttDoor) -> Subscription | None:
    """What reads from the broker that the settings name, not yet begun; raises BadInputError where they do not fit together."""
    settings = city.settings
    if not settings.mqtt_broker:
        return None
    if city.accounts.devices.named(settings.mqtt_account) is None:
        what = Text(
            f"mqtt_account 中的“{settings.mqtt_account}”不是启用的设备账号。请先导入该账号（devices），见 docs/how-to/connect-a-sensor.md。",
            f"'{settings.mqtt_account}' in mqtt_account is no device account in use. Import one first (devices): see "
            "docs/how-to/connect-a-sensor.md.",
        )
        raise BadInputError(what, setting="mqtt_account")

    def caller() -> Caller:
        found = city.accounts.devices.named(settings.mqtt_account)
        if found is None:
            # It was shut out meanwhile: what comes waits with the broker until it is let in again.
            raise BusyError(Text("设备账号已停用。", "The device account is shut out."), retry_after=5)
        return found

    async def take(topic: str, payload: bytes) -> Verdict:
        """As a message of that account."""
        return await door.take(topic, payload, caller())

    async def take_kept(topic: str, payload: bytes) -> Verdict:
        """The same for what the broker had kept."""
        return await door.take_kept(topic, payload, caller())

    filters = (f"{PREFIX}#", f"{VERSION}#", *(topic.topic for topic in settings.mqtt_topics))
    return Subscription(
        settings.mqtt_broker, filters, take, settings.mqtt_client, settings.mqtt_user, settings.mqtt_password, kept=take_kept
    )
