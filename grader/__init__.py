"""Interactive tutorial and exercise grader for Kubernetes Services.

The package root stays light: importing it must not import the Kubernetes client, Jupyter or nbgrader.
"""
