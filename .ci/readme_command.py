"""Print the N-th command of the README's "Two commands" section, as it stands there."""

import re
import sys
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.rst").read_text("utf-8")
section = readme.split("Two commands\n", 1)[1]
blocks = re.findall(r"\.\. code-block:: sh\n\n((?: {4}.*\n)+)", section)
lines = blocks[int(sys.argv[1]) - 1].splitlines()
print("\n".join(line.removeprefix("    ") for line in lines))
