"""`python -m protopact.cli`: the command line under the interpreter that runs."""

import sys

from protopact.cli.main import main

sys.exit(main())
