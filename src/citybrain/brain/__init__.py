"""One city brain (一个城市大脑): faculties, each one verb."""
