"""Classroom grading with nbgrader: submissions are data, clusters judge them, nbgrader keeps the marks.

submitted/ ─▶ forking: a limited child each ─▶ submission (data only) ─▶ jobs (a cluster inside of the child)
                                                                            │ grading
                                                                            ▼
                                                                    results/*.json
                                                                            │ record: the released notebook
                                                                            ▼ with the student's answers as text
                                       nbgrader autograde with ExternalGrade ─▶ gradebook ─▶ feedback, CSV

No code of a student is ever run.
"""

ASSIGNMENT = "services"
"""Name of the nbgrader assignment, and of its one notebook."""

GRADE = "grade-"


def grade_id(exercise: str) -> str:
    """The grade_id of the locked cell that carries an exercise's points."""
    return f"{GRADE}{exercise}"


def answer_id(exercise: str) -> str:
    """The grade_id of the cell that a student writes the manifest in."""
    return f"answer-{exercise}"
