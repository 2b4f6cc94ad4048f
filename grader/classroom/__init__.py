"""Classroom grading with nbgrader: submissions are data, clusters judge them, nbgrader keeps the marks.

submitted/ ─▶ submission (data only) ─▶ grading (a cluster each, in parallel) ─▶ results/*.json
                                                                                    │ staging: the released notebook
                                                                                    ▼ with the student's answers as text
                                                    nbgrader autograde with ExternalGrade ─▶ gradebook, feedback, CSV

No code of a student is ever run.
"""

ASSIGNMENT = "services"
"""Name of the nbgrader assignment, and of its one notebook."""
