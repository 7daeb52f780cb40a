"""`python -m polyattr` is the `polyattr` command."""

from polyattr.cli import main

if __name__ == "__main__":
    main()
