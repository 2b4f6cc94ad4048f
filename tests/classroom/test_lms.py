"""What Moodle and Canvas let a teacher download is taken as it is, and their own sheets are filled in."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from grader import exercises
from grader.classroom import submission
from grader.classroom.lms import fill, take
from grader.classroom.marks import Marks
from grader.errors import UsageError

CLUSTERIP = exercises.load("clusterip")
ANSWER = CLUSTERIP.answers[0].text


def zipped(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), ANSWER)
    return path


@pytest.mark.parametrize(
    "names",
    [
        ["山田 太郎_123_assignsubmission_file_/clusterip.yaml", "A. O'Hara_45_assignsubmission_file_/clusterip.yaml"],
        ["山田 太郎_123_assignsubmission_file_clusterip.yaml", "A. O'Hara_45_assignsubmission_file_clusterip.yaml"],
        [
            "課題1/山田 太郎_123_assignsubmission_file_/clusterip.yaml",
            "A. O'Hara_45_assignsubmission_file_/clusterip.yaml",
        ],
        ["山田 太郎_123_9001_clusterip.yaml", "A. O'Hara_LATE_45_9002_clusterip-1.yaml"],
    ],
    ids=["moodle-folders", "moodle-flat", "moodle-nested", "canvas"],
)
def test_a_download_becomes_a_folder_for_each_student(tmp_path: Path, names: list[str]) -> None:
    done = take(zipped(tmp_path / "all.zip", names), tmp_path / "submitted")
    assert done.students == ("A. O'Hara_45", "山田 太郎_123")
    assert done.skipped == ()
    assert set(submission.students(tmp_path / "submitted")[0]) == {*done.students}
    for student in done.students:
        found = submission.read(tmp_path / "submitted", student, [CLUSTERIP])
        assert (found.answers["clusterip"].text, found.problems) == (ANSWER, ())


def test_a_name_that_would_lead_out_of_the_students_folder_is_skipped(tmp_path: Path) -> None:
    names = ["山田 太郎_123_assignsubmission_file_..", "A. O'Hara_45_assignsubmission_file_/clusterip.yaml"]
    done = take(zipped(tmp_path / "all.zip", names), tmp_path / "submitted")
    assert (done.students, done.skipped) == (("A. O'Hara_45",), (names[0],))


def test_an_unpacked_download_is_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked" / "山田 太郎_123_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "clusterip.yaml").write_text(ANSWER)
    (folder / "link.yaml").symlink_to("/etc/passwd")
    done = take(tmp_path / "unpacked", tmp_path / "submitted")
    assert done.students == ("山田 太郎_123",)
    assert len(done.skipped) == 1
    assert not (tmp_path / "submitted" / "山田 太郎_123" / "link.yaml").exists()


def test_names_of_a_zip_that_windows_made_in_japan_are_read(tmp_path: Path) -> None:
    name = "山田 太郎_123_assignsubmission_file_clusterip.yaml".encode("cp932")
    placeholder = "N" * len(name)
    path = zipped(tmp_path / "all.zip", [placeholder])
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), name))
    assert take(path, tmp_path / "submitted").students == ("山田 太郎_123",)


def test_no_name_leaves_the_folder(tmp_path: Path) -> None:
    names = ["../x_1_assignsubmission_file_/../../escape", "=cmd_2_assignsubmission_file_/a", "readme.txt"]
    names += ["hanako_3_assignsubmission_file_/../../clusterip.yaml"]
    done = take(zipped(tmp_path / "all.zip", names), tmp_path / "submitted")
    assert {path.name for path in tmp_path.iterdir()} == {"all.zip", "submitted"}
    assert done.students == ("hanako_3", "x_1")
    assert len(done.skipped) == 2


def test_what_is_no_download_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="download-unknown"):
        take(zipped(tmp_path / "all.zip", ["a.yaml"]), tmp_path / "submitted")
    with pytest.raises(UsageError, match="download-missing"):
        take(tmp_path / "none.zip", tmp_path / "submitted")


def marks(student: str, points: float | None) -> Marks:
    return Marks(student, "", {"clusterip": points}, 0.5 if points else 0.0, 8.0)


EVERYONE = {
    item.student: item for item in (marks("山田 太郎_123", 8.0), marks("hanako_45", None), marks("gone_9", 1.0))
}


@pytest.mark.parametrize(
    ("sheet", "column"),
    [
        (
            'ID,氏名,評点,最大評点\r\n参加者123,"山田, 太郎",,8.00\r\n参加者45,花子,3,8.00\r\n参加者7,次郎,2,8.00\r\n',
            "評点",
        ),
        (
            'Student,ID,Section,Services (77)\r\n    Points Possible,,,8\r\n"山田, 太郎",123,A,\r\n'
            "花子,45,A,3\r\n次郎,7,A,2\r\n",
            "Services (77)",
        ),
    ],
    ids=["moodle", "canvas"],
)
def test_a_sheet_is_filled_where_there_is_a_mark_and_nowhere_else(sheet: str, column: str) -> None:
    text, missing = fill("\ufeff" + sheet, column, EVERYONE)
    before, after = (list(csv.reader(io.StringIO(part.removeprefix("\ufeff")))) for part in (sheet, text))
    place = before[0].index(column)
    assert [row[place] for row in after if "山田, 太郎" in row] == ["7.5"]
    assert missing == ("gone_9",)
    differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(differing) == 1


def test_a_cell_that_would_be_a_formula_is_none() -> None:
    text, _ = fill("ID,Name,Grade\r\n123,=cmd(),\r\n", "Grade", EVERYONE)
    assert '"\'=cmd()"' in text
    with pytest.raises(UsageError, match="sheet-column-unknown"):
        fill("ID,Grade\r\n", "評点", EVERYONE)
