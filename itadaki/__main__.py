import sys

from itadaki import interrupt


def main() -> int:
    """The command line as a program of its own, which signals end from its first line on."""
    interrupt.watch()
    try:
        from itadaki import cli

        return cli.main()
    finally:
        interrupt.unwatch()


if __name__ == "__main__":
    sys.exit(main())
