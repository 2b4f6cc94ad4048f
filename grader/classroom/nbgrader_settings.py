"""How nbgrader does this course: it keeps marks that come from elsewhere, and runs nothing."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as nb
from nbgrader.server_extensions.formgrader.handlers import template_path

from grader.classroom.external_grade import ExternalGrade, SaveExternalGrades

TEMPLATES = str(files("grader.classroom") / "templates")


class FeedbackExporter(HTMLExporter):
    """Feedback in Japanese, on pages that need no network; formgrader keeps its own pages."""


def configure(c: Any) -> None:
    """Set what the course needs in a configuration (`get_config()` of traitlets)."""
    c.CourseDirectory.course_id = "kubernetes-services"
    c.Exchange.path_includes_course = True
    # The source notebook is what students get: there is no solution in it to be cleared.
    c.GenerateAssignment.preprocessors = [
        nb.LockCells,
        nb.ClearOutput,
        nb.CheckCellMetadata,
        nb.ComputeChecksums,
        nb.SaveCells,
        nb.ComputeChecksums,
        nb.CheckCellMetadata,
    ]
    # ExternalGrade takes the place of Execute.
    c.Autograde.autograde_preprocessors = [
        ExternalGrade,
        nb.IgnorePattern,
        ClearMetadataPreprocessor,
        nb.LimitOutput,
        SaveExternalGrades,
        nb.AssignLatePenalties,
        nb.CheckCellMetadata,
    ]
    c.ClearMetadataPreprocessor.clear_notebook_metadata = False
    c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = {("nbgrader",)}
    c.GenerateFeedback.exporter_class = FeedbackExporter
    c.FeedbackExporter.template_name = "feedback_ja"
    c.FeedbackExporter.extra_template_basedirs = [TEMPLATES]
    # In front of nbconvert's own: formgrader's pages would load MathJax from another host.
    c.HTMLExporter.extra_template_basedirs = [template_path, TEMPLATES]
