import sys

from itadaki.cli import main

sys.exit(main())
