"""«Курс о защите данных»: its text and questions, and the list of those who are late (I12)."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from api.container import Work
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.course.views import CourseView, LateRow
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from rules.clock import now
from rules.refusals import Refusal
from rules.texts.identifiers import whole
from services.course import passing
from services.course.contents import course
from services.course.passing import CourseState
from services.exports import course as exports
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/course")

COURSE = "/course"


@router.get("")
async def show(visit: Inside, session: Work) -> Response:
    """The text with its questions, and until when they are to be answered."""
    state = await passing.state_of(session, visit.actor.person_id)
    return visit.page("course/course.html", course=_drawn(visit, state, {}, {}))


@router.post("")
async def answer(visit: Inside) -> Response:
    """Answer the questions. Wrong answers are marked, and the page stays."""
    form = await visit.request.form()
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    answers = {one.name: typed.get(one.name, "") for one in course().questions}
    try:
        version = whole(typed.get("version", "")) or 0
        await passing.answer(visit.container.database, visit.actor, version, answers)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        wrong = {
            fault.path.removeprefix("answers."): in_words(fault.message) for fault in refusal.fields
        }
        async with visit.container.database.work() as session:
            state = await passing.state_of(session, visit.actor.person_id)
        language = visit.presentation.language
        asked = {one.name: one.question.said(language) for one in course().questions}
        errors = [
            ErrorItem(f"{asked[name]} {words}", f"#group-{name}") for name, words in wrong.items()
        ]
        return visit.page(
            "course/course.html",
            status=refusal.status,
            course=_drawn(visit, state, answers, wrong),
            errors=errors or [ErrorItem(in_words(refusal.message))],
        )
    return visit.go(COURSE, "course_passed")


@router.get("/overdue")
async def overdue(visit: Inside, session: Work) -> Response:
    """Who is late, in the units that the visitor watches over."""
    found = await passing.late(session, visit.actor)
    rows = [LateRow(one.name, one.position, one.unit, one.passed_at, one.due) for one in found]
    return visit.page("course/overdue.html", rows=rows, most=passing.MOST)


@router.post("/overdue/file")
async def export(visit: Inside) -> Response:
    """The same list as a workbook; journaled."""
    institution = visit.container.settings.institution
    body = await exports.late_list(visit.container.database, visit.actor, institution)
    day = now().astimezone(visit.presentation.tzinfo).date()
    name = f"Курс-{day.isoformat()}.xlsx"
    return Response(body, media_type=exports.MEDIA_TYPE, headers=file_headers(name))


def _drawn(
    visit: Visit, state: CourseState, answers: Mapping[str, str], wrong: Mapping[str, str]
) -> CourseView:
    language, known = visit.presentation.language, course()
    return CourseView(
        title=known.title.said(language),
        version=known.version,
        sections=[
            (one.title.said(language), [text.said(language) for text in one.text])
            for one in known.sections
        ],
        questions=[
            FieldView(
                one.name,
                one.question.said(language),
                "choice",
                answers.get(one.name, ""),
                error=wrong.get(one.name, ""),
                options=[
                    Option(value, words.said(language)) for value, words in one.choices.items()
                ],
            )
            for one in known.questions
        ],
        passed_at=state.passed.at if state.passed else None,
        passed_version=state.passed.version if state.passed else 0,
        due=state.due,
        open=state.open,
        overdue=state.overdue,
    )
