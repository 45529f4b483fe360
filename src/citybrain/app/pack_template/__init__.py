"""What ``citybrain new pack`` writes: texts in which ``$name``, ``$title``, ``$constant`` and ``$module`` are filled."""
