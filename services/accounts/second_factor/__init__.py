"""The second factor: a file for each method, and the steps that ask for one or set one up.

`methods` says what a method is, `register` names them all, `proving` counts and journals the tries
of all methods together, `entering` is the second step of signing in.
"""
