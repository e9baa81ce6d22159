"""What people say on a case: who may, who is told, what is new to whom, and what is kept."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from models.tables.notices import Notice
from rules.access import Actor, Permission, Role
from rules.cases.process import Transition
from rules.clock import now
from rules.journal.entries import JournalKind, verify_chain
from rules.refusals import Refusal
from services import conversation
from services.cases.acts import Act
from services.conversation import Conversations, Message
from services.documents.acts import entitled
from services.journal import entries as journal
from tests.shared.office import Office


async def heard(office: Office, case_id: UUID, by: Actor) -> list[Message]:
    """The conversation as a person sees it."""
    case = await office.case(case_id)
    async with office.database.work() as session:
        return await conversation.messages(session, by, case)


async def unread(office: Office, by: Actor) -> dict[UUID, int]:
    """What a person has not read, by case."""
    async with office.database.work() as session:
        return dict(await conversation.unread(session, by))


async def told(office: Office, person: Actor) -> int:
    """How many notices of messages stand in somebody's cabinet."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.id).where(
                Notice.person_id == person.person_id,
                Notice.kind == "comment_added",
                Notice.channel == "cabinet",
            )
        )
        return len(found.all())


async def test_both_sides_talk_and_are_told(office: Office, talk: Conversations) -> None:
    """The reviewer of the case hears the applicant, the applicant hears the reviewer (A8, S5)."""
    case_id = await office.in_review()
    await office.set_times(case_id, reviewer_id=office.reviewer.person_id)
    await talk.say(office.clinician, case_id, "Когда будет ответ?")
    await talk.say(office.reviewer, case_id, "Завтра.")
    assert [m.text for m in await heard(office, case_id, office.clinician)] == [
        "Когда будет ответ?",
        "Завтра.",
    ]
    assert (await told(office, office.reviewer), await told(office, office.clinician)) == (1, 1)
    assert await told(office, office.head) == 0


async def test_the_whole_unit_is_told_where_nobody_has_the_case(
    office: Office, talk: Conversations
) -> None:
    """A question to a case without a reviewer is lost on nobody's desk."""
    case_id = await office.in_review()
    await office.set_times(case_id, reviewer_id=None)
    await talk.say(office.clinician, case_id, "Есть кто?")
    assert (await told(office, office.reviewer), await told(office, office.head)) == (1, 1)
    assert await told(office, office.clinician) == 0


async def test_internal_remarks_stay_among_reviewers(office: Office, talk: Conversations) -> None:
    """The applicant neither sees nor is told of what reviewers say to each other, nor counts it."""
    case_id = await office.in_review()
    await office.set_times(case_id, reviewer_id=office.reviewer.person_id)
    await talk.say(office.head, case_id, "Проверьте стаж.", internal=True)
    assert await heard(office, case_id, office.clinician) == []
    assert await unread(office, office.clinician) == {}
    assert await told(office, office.clinician) == 0
    assert (await unread(office, office.reviewer))[case_id] == 1
    with pytest.raises(Refusal) as refused:
        await talk.say(office.clinician, case_id, "Тайна", internal=True)
    assert refused.value.status == 403


async def test_strangers_learn_nothing(office: Office, talk: Conversations) -> None:
    """A case of others does not exist for those who may not see it (I6)."""
    case_id = await office.in_review()
    stranger = await office.person("Чужой", Role.NURSE, office.ward)
    with pytest.raises(Refusal) as refused:
        await talk.say(stranger, case_id, "Пустите")
    assert refused.value.status == 404
    watcher = await office.person("Заведующая", Role.UNIT_HEAD, office.ward)
    with pytest.raises(Refusal) as watching:
        await talk.say(watcher, case_id, "Я только смотрю")
    assert watching.value.status == 403


async def test_reading_is_known_per_person(office: Office, talk: Conversations) -> None:
    """Opening the page reads all; what comes later is new, and stays marked during that visit."""
    case_id = await office.in_review()
    first = await talk.say(office.reviewer, case_id, "Первое")
    assert await unread(office, office.clinician) == {case_id: 1}
    async with office.database.work() as session:
        await conversation.visited(session, office.clinician, case_id)
    assert await unread(office, office.clinician) == {}
    assert [m.new for m in await heard(office, case_id, office.clinician)] == [True]
    second = await talk.say(office.reviewer, case_id, "Второе")
    assert await unread(office, office.clinician) == {case_id: 1}
    await talk.read(office.clinician, case_id, first.id)
    assert await unread(office, office.clinician) == {case_id: 1}
    await talk.read(office.clinician, case_id, second.id)
    assert await unread(office, office.clinician) == {}
    async with office.database.work() as session:
        await conversation.visited(session, office.clinician, case_id)
    assert [m.new for m in await heard(office, case_id, office.clinician)] == [False, False]


async def test_a_token_for_something_else_learns_of_no_messages(
    office: Office, talk: Conversations
) -> None:
    """What is unread tells of cases: only who may see these is told."""
    case_id = await office.in_review()
    await talk.say(office.reviewer, case_id, "Пришлите диплом")
    assert await unread(office, office.clinician) == {case_id: 1}
    narrow = replace(office.clinician, scope=frozenset({Permission.KEEP_DOCUMENTS}))
    assert await unread(office, narrow) == {}


async def test_what_a_colleague_answered_is_not_unread_for_the_others(
    office: Office, talk: Conversations
) -> None:
    """The queue shows what waits for an answer, not what somebody else has dealt with."""
    case_id = await office.in_review()
    await talk.say(office.clinician, case_id, "Вопрос")
    assert (await unread(office, office.head))[case_id] == 1
    await talk.say(office.reviewer, case_id, "Ответ")
    assert case_id not in await unread(office, office.head)


async def test_files_go_with_a_message(office: Office, talk: Conversations) -> None:
    """Whoever sees the message may open its file; of an internal one, reviewers only (Q9)."""
    case_id = await office.in_review()
    file = await office.document(office.clinician, "message")
    await talk.say(office.clinician, case_id, "", files=[file])
    inside = await office.document(office.reviewer, "message")
    await talk.say(office.reviewer, case_id, "Для своих", files=[inside], internal=True)
    assert [len(m.files) for m in await heard(office, case_id, office.reviewer)] == [1, 1]
    stranger = await office.person("Чужой", Role.NURSE, office.ward)
    async with office.database.work() as session:
        version, own = await entitled(session, office.reviewer, file)
        assert (version.id, own) == (file, False)
        await entitled(session, office.head, inside)
        for actor, one in ((office.clinician, inside), (stranger, file)):
            with pytest.raises(Refusal) as refused:
                await entitled(session, actor, one)
            assert refused.value.status == 404


async def test_only_own_accepted_files_can_be_sent(office: Office, talk: Conversations) -> None:
    """A file of somebody else, or one that was refused, goes with no message."""
    case_id = await office.in_review()
    for file in (
        await office.document(office.reviewer, "message"),
        await office.document(office.clinician, "message", verdict="refused"),
        uuid4(),
    ):
        with pytest.raises(Refusal) as refused:
            await talk.say(office.clinician, case_id, "Вот", files=[file])
        assert refused.value.code == "not_your_document"
    assert await heard(office, case_id, office.clinician) == []


async def test_the_same_message_again_is_said_once(office: Office, talk: Conversations) -> None:
    """A click repeated after a lost answer says nothing twice; another text is refused."""
    case_id = await office.in_review()
    number = uuid4()
    for _ in range(2):
        await talk.say(office.clinician, case_id, "Один раз", message_id=number)
    assert len(await heard(office, case_id, office.clinician)) == 1
    with pytest.raises(Refusal) as refused:
        await talk.say(office.clinician, case_id, "Иное", message_id=number)
    assert refused.value.status == 422


async def test_one_id_on_several_cases_at_once_is_one_message(
    office: Office, talk: Conversations
) -> None:
    """Whichever comes first is said; the others are refused, and nothing breaks."""
    cases = [await office.in_review() for _ in range(4)]
    same = uuid4()
    found = await asyncio.gather(
        *(talk.say(office.clinician, one, "Скажите", message_id=same) for one in cases),
        return_exceptions=True,
    )
    refused = [one for one in found if isinstance(one, Refusal)]
    assert [one.code for one in refused] == ["act_id_reused"] * 3


async def test_messages_are_journaled_with_salted_contents(
    office: Office, talk: Conversations
) -> None:
    """The journal holds who wrote when, and a digest; the words stand encrypted beside (I9)."""
    case_id = await office.in_review()
    file = await office.document(office.clinician, "message")
    await talk.say(office.clinician, case_id, "Личное", files=[file])
    entry = (await office.journal(case_id))[-1]
    assert entry.kind == JournalKind.CASE_COMMENTED
    assert entry.contents == {"text": "Личное", "files": ["diploma.pdf"]}
    assert entry.salt is not None
    assert entry.contents_digest is not None
    assert "Личное" not in str(entry.facts)
    assert "diploma" not in str(entry.facts)
    entries = [journal.facts_of(one) for one in await office.journal(case_id)]
    assert not verify_chain(entries)


async def test_a_closed_case_is_talked_about_for_thirty_days(
    office: Office, talk: Conversations
) -> None:
    """After the decision there may be questions; a month later the conversation is over."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.REJECT)
    await talk.say(office.clinician, case_id, "Почему?")
    await office.set_times(case_id, closed_at=now() - timedelta(days=31))
    for side in (office.clinician, office.reviewer):
        with pytest.raises(Refusal) as refused:
            await talk.say(side, case_id, "Ещё вопрос")
        assert (refused.value.code, refused.value.status) == ("conversation_over", 409)


async def test_a_draft_is_not_talked_about(office: Office, talk: Conversations) -> None:
    """Nobody reviews what was not sent, so nobody would answer."""
    case_id = await office.draft()
    with pytest.raises(Refusal) as refused:
        await talk.say(office.clinician, case_id, "Помогите заполнить")
    assert refused.value.code == "not_sent_yet"
    await office.applications.submit(office.clinician, case_id, Act(uuid4(), 0))
    await talk.say(office.clinician, case_id, "Теперь можно")


@pytest.mark.parametrize(
    ("text", "files"), [("", 0), ("  \n", 0), ("я" * 4001, 0), ("много файлов", 6)]
)
async def test_length_and_files_are_limited(
    office: Office, talk: Conversations, text: str, files: int
) -> None:
    """Empty, endless and overloaded messages are refused with words, and nothing is kept."""
    case_id = await office.in_review()
    sent = [await office.document(office.clinician, "message") for _ in range(files)]
    with pytest.raises(Refusal) as refused:
        await talk.say(office.clinician, case_id, text, files=sent)
    assert refused.value.status == 422
    assert refused.value.fields
    assert await heard(office, case_id, office.clinician) == []


async def test_a_flood_is_refused(office: Office, talk: Conversations) -> None:
    """Thirty messages at once are let through, the next is told to wait; others are not touched."""
    case_id = await office.in_review()
    for n in range(30):
        await talk.say(office.clinician, case_id, f"{n}")
    with pytest.raises(Refusal) as refused:
        await talk.say(office.clinician, case_id, "ещё")
    assert refused.value.status == 429
    assert 0 < refused.value.facts["retry_after"] <= 20
    await talk.say(office.reviewer, case_id, "Не торопитесь.")


async def test_the_documents_list_is_not_filled_with_messages(office: Office) -> None:
    """What went with messages is no document to choose for an application (Q10)."""
    from models.tables.documents import Document
    from services.documents.acts import Documents

    await office.document(office.clinician, "message")
    await office.document(office.clinician, "diploma")
    documents = Documents(office.database, None)  # type: ignore[arg-type]
    assert [d.category for d in await documents.mine(office.clinician)] == ["diploma"]
    async with office.database.work() as session:
        kept = await session.exec(
            select(Document.id).where(
                Document.owner_id == office.clinician.person_id, col(Document.category) == "message"
            )
        )
        assert len(kept.all()) == 1
