"""Levels of the air quality index: class, colour, effect on health and advice (HJ 633-2026 table 1, table 2 and annex A)."""

from dataclasses import dataclass

from citybrain.sdk import Text
from citybrain.services.livelihood.air.practice import PARAMETERS, words
from citybrain.services.livelihood.air.scale import Pollutant


@dataclass(frozen=True, slots=True)
class Level:
    """One of the six levels, up to and including ``upto``; the colour must stand with the name. English is our translation."""

    number: int
    upto: int
    rank: Text
    name: Text
    colour: Text
    hex: str
    effect: Text
    advice: Text


_ADVISED = words(PARAMETERS, "advised_zh")
_ADVISED_EN = "Children, older people and people with heart, vessel or lung disease"

LEVELS = (
    Level(
        1,
        50,
        Text("一级", "Level 1"),
        Text("优", "Excellent"),
        Text("绿色", "green"),
        "#00E400",
        Text("空气质量令人满意，基本无空气污染", "Air quality is satisfying; there is almost no pollution"),
        Text("各类人群可正常活动", "Everybody can be active as usual"),
    ),
    Level(
        2,
        100,
        Text("二级", "Level 2"),
        Text("良", "Good"),
        Text("黄色", "yellow"),
        "#FFFF00",
        Text(
            "空气质量可接受，但某些污染物可能对极少数异常敏感人群健康有较弱影响",
            "Air quality is acceptable; some pollutants may weakly affect the very few who are unusually sensitive",
        ),
        Text("极少数异常敏感人群应减少户外活动", "The very few who are unusually sensitive should be outdoors less"),
    ),
    Level(
        3,
        150,
        Text("三级", "Level 3"),
        Text("轻度污染", "Lightly polluted"),
        Text("橙色", "orange"),
        "#FF7E00",
        Text(
            "敏感人群症状有轻度加剧，健康人群出现刺激症状",
            "Symptoms of sensitive people grow slightly; healthy people feel irritation",
        ),
        Text(
            "青少年儿童、老年人及心血管系统疾病、呼吸系统疾病患者应减少长时间、高强度的户外锻炼",
            f"{_ADVISED_EN} should reduce long and hard exercise outdoors",
        ),
    ),
    Level(
        4,
        200,
        Text("四级", "Level 4"),
        Text("中度污染", "Moderately polluted"),
        Text("红色", "red"),
        "#FF0000",
        Text(
            "进一步加剧敏感人群症状，可能对健康人群心血管系统、呼吸系统有影响",
            "Symptoms of sensitive people grow further; heart, vessels and lungs of healthy people may be affected",
        ),
        Text(
            f"{_ADVISED}避免长时间、高强度的户外锻炼，一般人群适量减少户外运动",
            f"{_ADVISED_EN} avoid long and hard exercise outdoors; everybody else does somewhat less of it",
        ),
    ),
    Level(
        5,
        300,
        Text("五级", "Level 5"),
        Text("重度污染", "Heavily polluted"),
        Text("紫色", "purple"),
        "#99004C",
        Text(
            "心血管系统和呼吸系统患者症状显著加剧，运动耐受力降低，健康人群普遍出现症状",
            "Symptoms of heart, vessel and lung patients grow markedly and they tire sooner; healthy people commonly have symptoms",
        ),
        Text(
            f"{_ADVISED}应停留在室内，停止户外运动，一般人群减少户外运动",
            f"{_ADVISED_EN} should stay indoors and stop exercise outdoors; everybody else does less of it",
        ),
    ),
    Level(
        6,
        500,
        Text("六级", "Level 6"),
        Text("严重污染", "Severely polluted"),
        Text("褐红色", "maroon"),
        "#7E0023",
        Text(
            "健康人群运动耐受力降低，有明显强烈症状，提前出现某些疾病",
            "Healthy people tire sooner, have clear and strong symptoms, and fall ill earlier with some diseases",
        ),
        Text(
            "青少年儿童、老年人和病人应当留在室内，避免体力消耗，一般人群应避免户外活动",
            "Children, older people and the sick should stay indoors and spare their strength; everybody else should avoid being outdoors",
        ),
    ),
)

_LUNGS = Text("患有呼吸系统疾病（如哮喘）的人", "people with lung disease such as asthma")
_YOUNG = Text("青少年儿童", "children")
_ACTIVE = Text("户外活动频繁的人", "people often outdoors")
_OLD = Text("老年人", "older people")
_HEART = Text("患有心血管系统疾病的人", "people with heart or vessel disease")
_BOTH = Text("患有心血管系统疾病或呼吸系统疾病（如哮喘）的人", "people with heart, vessel or lung disease such as asthma")

SENSITIVE: dict[Pollutant, tuple[Text, ...]] = {
    Pollutant.SO2: (Text("患有哮喘的人", "people with asthma"), _YOUNG, _OLD),
    Pollutant.NO2: (_LUNGS, _YOUNG, _OLD),
    Pollutant.CO: (_HEART,),
    Pollutant.O3: (_LUNGS, _YOUNG, _ACTIVE, _OLD),
    Pollutant.PM10: (_BOTH, _YOUNG, _ACTIVE, _OLD),
    Pollutant.PM25: (_BOTH, _YOUNG, _ACTIVE, _OLD),
}
"""Who is sensitive when the sub-index of a pollutant is over 100 (HJ 633-2026 table 2)."""


def level_of(aqi: float) -> Level:
    """The level of an AQI from 0; raises ValueError for NA or a negative number."""
    if not aqi >= 0:
        raise ValueError(f"An AQI of {aqi} has no level: show why there is none instead of a colour.")
    return next((level for level in LEVELS if aqi <= level.upto), LEVELS[-1])
