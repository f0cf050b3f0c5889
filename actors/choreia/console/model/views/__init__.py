"""The screens: what is seen under each of the keys 1 to 6, and what is drilled into from there."""
