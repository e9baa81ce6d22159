"""Which router answers a request, of which most are not even asked."""

import re

from starlette.routing import Match
from starlette.types import Scope

from server import create_app
from tests.api.test_access_table import NAMES, TABLE
from tests.api.world import table_settings


def test_a_router_that_is_not_asked_had_nothing_to_say() -> None:
    """Asked all the same, it does not know the path; of those that are asked there are few."""
    app, asked, paths = create_app(table_settings({}, ".")), 0, set[str]()
    for route in TABLE:
        _, _, path = route.partition(" ")
        paths.add(re.sub(r"{(\w+)(?::\w+)?}", lambda one: NAMES.get(one[1], "none"), path))
    for path in paths:
        scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "app": app}
        for router in app.router.routes:
            found, _ = router.matches(dict(scope))
            wholly, _ = type(router).matches(router, dict(scope))
            assert found is wholly, path
            asked += found is not Match.NONE
    assert asked >= len(paths) > 300
