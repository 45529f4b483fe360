"""What ``citybrain new pack`` writes: texts in which ``$name``, ``$zh``, ``$title``, ``$constant`` and ``$module`` are filled."""
