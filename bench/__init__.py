"""`medcab bench [quick] [P1 … P7, P1r …]`: promises of speed, measured against the least program.

A run has its own servers, durable, on their own ports. Each figure is a ratio of Medcab to the
least program, a baseline that does the same work (`bench.least` says what it leaves out). Both run
behind the same uvicorn and recognise a session in the same way; `bench.method` says how they are
compared. `quick` takes few blocks: enough for a look, too few for a verdict. Costs are in seconds;
what counts are the ratios.

P1, P2, P3 and P6 measure applications. P1r, P2r, P3r and P6r measure the same of requests, both
sides with the same simulated gov service: the time until the number and until the service has taken
the request, whole requests in a second, the time from its callback until the answer can be
downloaded, and commits and events.

IDLE starts an installation as `medcab up` does, and says what it costs while nobody does anything.

SYNC compares 10 000 people with three registers in an installation of its own, whose worker is
killed five times, and says whether anybody was left out and how often the registers were asked.

SCHEDULE stands for what the clinic promises: RACE, two hundred people who book one time at once,
also while the API is killed five times; BOOK, one booking against a route with one insert; WEEK,
a free week of fifty clinicians among many appointments; HOME, a clinician's first page and day with
twenty appointments.

PEERS measures P9, P10 and P11: processor time, waiting and whole cases in a second beside the same
case on peers (`bench.peers`), which are installed by an extra of `pyproject.toml`. It stands for
DBOS, SPIFF and WORKERS, which can be asked for one by one.
"""


def run(names: list[str]) -> int:
    """Measure the named figures, all by default.

    0 when every bar holds and something was measured.
    """
    # Not imported at the top: a worker's sandbox imports this package anew for each workflow.
    from bench.runs import run as measured

    return measured(names)
