"""`medcab bench [quick] [P1 … P7, P1r …]`: promises of speed, measured against the least program.

A run has servers of its own, durable, on ports of its own. Each figure is a ratio of Medcab to the
least program that does the same (`bench.least` says what it leaves out), both behind the same
uvicorn and the same look-up of the session, measured by the method of `bench.method`. `quick` takes
few blocks: good for a look, too few for a verdict. Figures stand in seconds; ratios matter.

P1, P2, P3 and P6 are of applications. P1r, P2r, P3r and P6r are the same of requests, which go to
the simulated gov-service module, on both sides the same one: until the number and until it has
taken the request, whole requests in a second, from its callback until the answer can be
downloaded, and commits and events.
"""


def run(names: list[str]) -> int:
    """Measure the named figures, all by default. 0 when every bar holds and something was tried."""
    # A worker's sandbox imports this package anew for each workflow: nothing heavy at the top.
    from bench.runs import run as measured

    return measured(names)
