"""The pages, as `api.app` takes them in."""

from fastapi import APIRouter, FastAPI

from cabinet import (
    accounts,
    administration,
    administration_types,
    applications,
    archive,
    archive_exports,
    archive_retention,
    conversation,
    desk,
    desk_requests,
    desk_several,
    desk_team,
    documents,
    drafts,
    home,
    installable,
    journal,
    notice_settings,
    notices,
    operation,
    problems,
    profile,
    programmes,
    request_drafts,
    request_files,
    requests,
    staff,
    verification,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    accounts.router,
    profile.router,
    profile.account,
    programmes.router,
    drafts.router,
    applications.router,
    request_drafts.router,
    request_files.router,
    requests.router,
    conversation.router,
    documents.router,
    notice_settings.router,
    notices.router,
    installable.router,
    desk.router,
    desk_requests.router,
    archive.router,
    archive_exports.router,
    archive_retention.router,
    desk_several.router,
    desk_team.router,
    operation.router,
    journal.router,
    staff.router,
    administration_types.router,
    administration.router,
    verification.router,
)


def add_pages(app: FastAPI) -> None:
    """Take in the pages, and draw problems for people as pages."""
    for router in ROUTERS:
        app.include_router(router)
    app.state.page_problem = problems.page_problem
