"""A pack for benchmarks: 20 kinds of 4 sensor fields, 25 rules each (500 in all), 2,500 entities (10,000 streams)."""

from citybrain.sdk import By, Field, Grade, Kind, Pack, Parameter, Place, Planted, Rule, Text, same

KINDS = 20
RULES = 25
ENTITIES = 125
FIELDS = ("a", "b", "c", "d")
LIMIT = Parameter("bench_limit", 900.0, "2020-01-01", "benchmark", "local", same("bench limit"), "1", (1.0, 1000.0))
"""What the first rule of the first kind asks for: a limit that may be published."""


def _kind(number: int) -> Kind:
    fields = tuple(
        Field(name, same(name), By.SENSOR, unit="1", every="PT1M", silent_after="PT1H", range=(0.0, 1000.0)) for name in FIELDS
    )
    return Kind(f"bench_{number:02d}", same(f"bench {number}"), fields, owner="bench", place="point")


def _rule(kind: int, number: int) -> Rule:
    limit = LIMIT.name if (kind, number) == (0, 0) else f"{900 + number}.0"
    field = FIELDS[number % len(FIELDS)]
    return Rule(
        name=f"bench_{kind:02d}_{number:02d}",
        on=f"bench_{kind:02d}",
        when=f"{field} > {limit} && {FIELDS[(number + 1) % 4]} < 990.0",
        because=Text("{title} 的读数超过限值。", "{title} reads over its limit."),
        basis=Text("基准测试", "benchmark"),
        grade=Grade.BLUE,
        fires=({"a": 999.0, "b": 1.0, "c": 999.0, "d": 1.0}, {"a": 1.0, "b": 999.0, "c": 1.0, "d": 999.0})[
            number % 2 : number % 2 + 1
        ],
        silent=({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0},),
    )


def entities(each: int = ENTITIES) -> tuple[Planted, ...]:
    """So many entities of each kind, spread over the demo district's neighbourhood."""
    return tuple(
        Planted(
            f"bench-{kind:02d}-{index:03d}",
            f"bench_{kind:02d}",
            same(f"bench {kind}/{index}"),
            Place(117.1 + kind * 0.004, 39.06 + index * 0.0007),
            "",
            {},
        )
        for kind in range(KINDS)
        for index in range(each)
    )


def streams() -> tuple[str, ...]:
    """The ids of the 10,000 streams."""
    return tuple(f"{entity.id}.{field}" for entity in entities() for field in FIELDS)


PACK = Pack(
    "bench",
    same("bench"),
    "四-1",
    Text("只用于测速。", "For measuring speed alone."),
    kinds=tuple(_kind(number) for number in range(KINDS)),
    rules=tuple(_rule(kind, number) for kind in range(KINDS) for number in range(RULES)),
    parameters=(LIMIT,),
)
