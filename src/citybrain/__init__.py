"""CityBrain (城区大脑): open-source software that runs a city district."""

__version__ = "0.1.0"
