"""Builds the site of the documentation: ``python tools/build_site.py build/site``.

Needs the extra `docs`. Any link that leads nowhere, and anything that a page would fetch from
another host, ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from docsite import llms
from docsite.built_links import complaints
from docsite.navigation import ROOT, sections
from docsite.staging import navigation, stage

SETTINGS = ROOT / "tools" / "docsite" / "zensical.toml"


def main() -> None:
    """Stages the pages, has them built, checks every link of what was built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the site goes; emptied first")
    folder: Path = parser.parse_args().folder.resolve()
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "llms.txt").is_file():
        raise SystemExit(f"{folder} is not empty, and holds no site; choose another folder")
    work = folder.parent / f"{folder.name}-sources"
    for old in (folder, work):
        shutil.rmtree(old, ignore_errors=True)
    staged = stage(work / "pages")
    settings = SETTINGS.read_text(encoding="utf-8")
    nav = navigation(sections(), staged.reference)
    written = settings.replace("# nav\n", f'{nav}\ndocs_dir = "pages"\nsite_dir = "site"\n')
    (work / "zensical.toml").write_text(written, encoding="utf-8")
    # Fixed words, and the interpreter that runs this.
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=work, check=False).returncode:
        raise SystemExit("the pages have faults: the first lines above say which")
    shutil.move(work / "site", folder)
    for page in sorted((work / "pages").rglob("*.md")):
        shutil.copyfile(page, folder / page.relative_to(work / "pages"))
    (folder / "llms.txt").write_text(llms.on_site(staged.reference), encoding="utf-8")
    # Asked for where pages are opened from a folder, whose search then says that it needs a server.
    (folder / "search.js").write_text("// The search needs a server.\n", encoding="utf-8")
    shutil.rmtree(work)
    wrong = complaints(folder)
    print("\n".join([*wrong, f"{len(list(folder.rglob('*.html')))} pages in {folder}"]))
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
