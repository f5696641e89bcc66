"""Compares change classes with MITRE's diffStix: classes.py OLD.json NEW.json MONOLOGUE."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from loguru import logger
from mitreattack.diffStix.changelog_helper import DiffStix

logger.remove()
old, new, monologue = map(pathlib.Path, sys.argv[1:4])
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    for name, source in (("old", old), ("new", new)):
        (folder / name).mkdir()
        shutil.copy(source, folder / name / "enterprise-attack.json")
        command = [monologue.resolve(), "attack", "--library", folder / "library", "import", source, "--release"]
        subprocess.run([*command, "1.0" if name == "old" else "2.0"], check=True, capture_output=True)
    theirs = {}
    found = DiffStix(
        domains=["enterprise-attack"], old=str(folder / "old"), new=str(folder / "new"), unchanged=True
    )
    for domains in found.data["changes"].values():
        for sections in domains.values():
            for section, objects in sections.items():
                theirs.update({each["id"]: section for each in objects})
    command = [monologue.resolve(), "attack", "--library", folder / "library", "diff", "1.0", "2.0", "--output", "json"]
    ours = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

listed = {(row["new"] or row["old"])["stix_id"]: row["class"] for row in ours["objects"]}
# What we do not list has the same bytes on both sides: unchanged. Tactics and matrices are not looked at by the other tool.
apart = [
    (stix_id, section, listed.get(stix_id, "unchanged"))
    for stix_id, section in theirs.items()
    if listed.get(stix_id, "unchanged") != section
]
missing = [
    (stix_id, None, section)
    for stix_id, section in listed.items()
    if section and stix_id not in theirs and not stix_id.startswith(("x-mitre-tactic", "x-mitre-matrix"))
]
counts = {}
for section in theirs.values():
    counts[section] = counts.get(section, 0) + 1
print(f"{len(theirs)} objects, {counts}: {len(apart) + len(missing)} apart")
for row in (apart + missing)[:20]:
    print("apart:", *row)
sys.exit(1 if apart or missing else 0)
