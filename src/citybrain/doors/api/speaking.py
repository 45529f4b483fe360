"""The language in which a caller is answered: asked for in the address, kept in a cookie, or liked by the browser."""

from citybrain.doors.api.parts import Call
from citybrain.kernel.text import Lang


def language(request: Call) -> Lang:
    """The caller's language: ``?lang``, else the cookie ``lang``, else Accept-Language, else Chinese."""
    for word in (request.query_params.get("lang"), request.cookies.get("lang")):
        if word in ("zh", "en"):
            return "en" if word == "en" else "zh"
    return preferred(request.headers.get("accept-language", ""))


def preferred(accepted: str) -> Lang:
    """The better liked of zh and en in an Accept-Language header (RFC 9110 section 12.5.4); zh where neither or both equally."""
    liking: dict[str, float] = {"zh": 0.0, "en": 0.0}
    for part in accepted.split(","):
        tag, _, weight = part.strip().partition(";")
        name = tag.split("-")[0].strip().lower()
        if name in liking:
            liking[name] = max(liking[name], _weight(weight))
    return "en" if liking["en"] > liking["zh"] else "zh"


def _weight(text: str) -> float:
    name, _, value = text.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
