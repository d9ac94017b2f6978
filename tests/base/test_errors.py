"""How a stage script ends."""

import pytest

from stages.base.errors import InputError, Stopped, guard


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("wrong"), "ERROR: wrong", ""),  # sys.exit prints a text and ends with exit code 1
        (Stopped("stopped in epoch 3"), 130, "stopped in epoch 3\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_an_expected_end_is_one_line(
    error: BaseException, code: int | str, line: str, capsys: pytest.CaptureFixture
) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        guard(main)
    assert end.value.code == code and capsys.readouterr().err == line


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        guard(lambda: print(1 // 0))
