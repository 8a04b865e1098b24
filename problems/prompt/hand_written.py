"""Instructions that people have written, which a found one is compared with (OPRO, section 5.1 and its references)."""

EMPTY = ""
SOLVE = "Let's solve the problem."
STEP_BY_STEP = "Let's think step by step."

STARTS = (EMPTY, SOLVE, STEP_BY_STEP)
"""Where a search begins unless the user names other instructions."""

COMPARED = (EMPTY, STEP_BY_STEP)
"""What a found instruction must beat on the test examples."""
