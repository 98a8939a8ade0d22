"""What ``import forensix`` loads: nothing heavy, and every public name on demand."""

import subprocess
import sys

import pytest

import forensix

HEAVY = {"numpy", "numba", "cv2", "scipy", "skimage", "sklearn", "pywt", "PIL", "rich", "jinja2", "click"}


def modules_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_heavy():
    assert not modules_after("import forensix; forensix.__version__; dir(forensix)") & HEAVY


def test_the_command_line_loads_no_method():
    assert not modules_after("import forensix.cli") & (HEAVY - {"click"})


@pytest.mark.parametrize("name", forensix.__all__)
def test_every_public_name_is_there(name):
    assert getattr(forensix, name) is not None
    assert name in dir(forensix)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'sacn'"):
        forensix.sacn  # noqa: B018
