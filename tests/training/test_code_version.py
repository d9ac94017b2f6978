from helpers.project import Project

VERSIONS = """
from pathlib import Path
import stages.train
from stages.training.code_version import code_version
print(code_version())
import stages.benchmark.profiling
print(code_version())
for file in ("stages/report.py", "stages/training/loop.py"):
    with Path(file).open("a") as text:
        text.write("# a comment")
    print(code_version())
"""


def test_the_version_depends_on_the_code_that_trains_and_on_no_other(project: Project) -> None:
    first, with_benchmark, other_report, other_loop = project.ok("python", "-c", VERSIONS).split()
    assert first == with_benchmark == other_report != other_loop and len(first) == 64
