"""Who may do what: people, their roles and secrets, and a log of what was done.

rights      what there is to be allowed, and which role allows it: one table
people      people, roles, passwords, sessions, tokens, codes, in the instance's database
passwords   a password's hash, and what is a password
credentials what a session, a token or a code is known by
throttle    how often somebody may try
audit       what was done, in a chain of hashes

Nobody is asked who they are yet: the API does not know these.
"""
