"""What a planner leaves in the folder of its planning."""

__all__ = ["FILES", "FOUND", "PLAN_FILE", "SORTIES"]

FILES = "files"
"""Folder of the files of the plan, as `missions.write_plan_folder` writes them."""
PLAN_FILE = "plan.json"
"""Among these, what the plan is read back from."""
FOUND = "found.json"
"""A `PlanningFound`."""
SORTIES = "sorties.json"
"""Names of files of one sortie each, with the name of that sortie."""
