"""Lessons: one jupytext Markdown source each, from which the notebooks and the site's pages are made.

    course/03-clusterip.md ──source──▶ Lesson ──notebook──▶ learner's and solution notebook (.ipynb) ──run──▶ outputs
                                          └────page──────▶ Markdown of the site, with recorded outputs

Everything but `run` and `build` is a pure function of text. Only `run` needs a cluster, and only through the notebook.
"""
