"""Lessons: one jupytext Markdown source each, from which the notebooks and the site's pages are made.

    course/03-clusterip.md ──source──▶ Lesson ──notebook──▶ learner's and solution notebook (.ipynb) ──run──▶ outputs
                                          └────page──────▶ Markdown of the site, with recorded outputs

Everything but `run` and `build` is a pure function of text. Only `run` needs a cluster, and only through the notebook.
"""

from __future__ import annotations

from grader.lessons.build import build_notebooks, build_site
from grader.lessons.notebook import learner_notebook, solution_notebook
from grader.lessons.page import lesson_page
from grader.lessons.run import Executed, run_notebook
from grader.lessons.source import Lesson, read_lesson, read_lessons

__all__ = [
    "Executed",
    "Lesson",
    "build_notebooks",
    "build_site",
    "learner_notebook",
    "lesson_page",
    "read_lesson",
    "read_lessons",
    "run_notebook",
    "solution_notebook",
]
