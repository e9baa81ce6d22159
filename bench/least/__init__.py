"""The least programs: baselines that do the same work and nothing else.

`python -m bench.least api --socket N` and `python -m bench.least worker` are the two processes.
They run behind the same uvicorn as Medcab's, recognise the same bearer tokens by the same
dependency, keep pools of the same size and use the same servers, with the same durability. Their
rows lie in a database of their own. They leave out everything that makes an application
accountable: rules, versions, journal, act ids, locks, encryption of payloads, and all notices but
the rows of two.

A whole case is six commits: the insert, the check and its notice, the decision, the enrolment
certificate and its notice. The certificate is the same PDF by the same code, signed with the same
seal, stored by the same client. `requests` says what is done for a request.
"""
