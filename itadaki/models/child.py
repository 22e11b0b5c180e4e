"""Work in a process of its own, for libraries that one process cannot hold together."""

import os
import subprocess
import sys

from itadaki.settings import PROJECT_ROOT


def run_module(name: str, *arguments: str, **environment: str) -> str | None:
    """Run a module as a program, which says on its standard output why it cannot go on.

    Args:
        name: of the module.
        arguments: of the program.
        environment: variables that it has beside this process's.

    Returns:
        None when it is done, else why not, as a clause. What it writes to its standard error,
        such as a progress bar, is seen.
    """
    paths = os.pathsep.join([str(PROJECT_ROOT), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths} | environment,
    )
    if not done.returncode:
        return None
    return done.stdout.strip() or f"its process ended with {done.returncode}"
