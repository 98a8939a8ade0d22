"""``python -m forensix`` is the ``forensix`` command."""

import sys

from forensix.cli import main

if __name__ == "__main__":
    sys.exit(main())
