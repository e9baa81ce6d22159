"""`medcab demo`: a whole story on the running system, through the public API, as people would act.

Every step prints the case's number and status. The first thing that is not as it should be ends the
story with exit code 1 and is printed.
"""

import httpx

from ops.demo.accreditations import AccreditationDemo
from ops.demo.applications import ApplicationDemo
from ops.demo.archive import ArchiveStory
from ops.demo.clinic import ClinicStory
from ops.demo.credentials import QualificationDemo
from ops.demo.notices import NoticeStory
from ops.demo.personnel import PersonnelStory
from ops.demo.requests import RequestDemo
from ops.demo.story import Demo, Unexpected, within_reach
from ops.local.running import console
from rules.access import Role
from settings import Settings


def run(settings: Settings) -> int:
    """Go through the story on the running system; 0 when everything was as it should be."""
    told = console()
    story = Demo(settings, told)
    try:
        clinician = story.sign_in(Role.DOCTOR)
        with within_reach(clinician):
            personnel = story.sign_in(Role.HR_REVIEWER)
            ApplicationDemo(story, clinician, personnel).tell()
            QualificationDemo(story, clinician, personnel).tell()
            AccreditationDemo(story, clinician, personnel).tell()
            clerk = story.sign_in(Role.CLERK)
            certificate, equipment = RequestDemo(story, clinician, clerk).tell()
            NoticeStory(story, clinician, clerk).tell(equipment)
            PersonnelStory(story, story.sign_in(Role.HR_HEAD)).tell()
            registrar, judge = story.sign_in(Role.REGISTRAR), story.sign_in(Role.SECURITY)
            ClinicStory(story, clinician, registrar, judge).tell()
        ArchiveStory(story, clinician).tell(certificate)
    except (Unexpected, httpx.HTTPError) as error:
        told.print(f"[bold red]Not as it should be:[/] {error}")
        return 1
    told.print(f"[bold green]All {story.steps} steps went as they should.[/]")
    return 0
