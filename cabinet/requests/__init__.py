"""Pages of requests: types, drafts, answers, and a request on the desk."""
