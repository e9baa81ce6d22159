"""The archive: all cases of a person, one of them whole, and the list as a sheet."""

import io
import zipfile

from ops.demo.story import Demo, DemoUser, Unexpected


class ArchiveStory:
    """What a clinician finds in the archive and exports."""

    def __init__(self, story: Demo, clinician: DemoUser) -> None:
        self.story = story
        self.clinician = clinician

    def tell(self, case_id: str) -> None:
        """Filter the archive, export one case with all its files, export the list."""
        found = self.clinician.call("GET", "/archive", params={"kind": "request"})["items"]
        if case_id not in [one["id"] for one in found]:
            raise Unexpected("the request is not in the archive")
        self.story.say(f"the archive shows {len(found)} requests")
        packed = self.clinician.call("GET", f"/archive/cases/{case_id}")
        with zipfile.ZipFile(io.BytesIO(packed)) as opened:
            names = opened.namelist()
            self.story.same(opened.testzip(), None, "the ZIP is whole")
        self.story.say(f"the whole case is one ZIP of {len(names)} files, {len(packed)} bytes")
        asked = self.clinician.call("POST", "/archive/exports", 202, json={"file": "xlsx"})
        self.story.until(
            "the sheet",
            lambda: self.clinician.call("GET", f"/archive/exports/{asked['id']}"),
            lambda export: export["state"] == "ready",
        )
        sheet = self.clinician.call("GET", f"/archive/exports/{asked['id']}/file")
        self.story.same(sheet[:2], b"PK", "the sheet is a workbook")
        self.story.say(f"the list is a sheet made in the background, {len(sheet)} bytes")
