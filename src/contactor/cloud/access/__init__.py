"""Who may do what: people, their roles and secrets, and a log of what was done.

rights      which role allows it, and how far a token goes: one table
people      people and their roles, in the instance's database; `rows` are theirs
logins      passwords, sessions, tokens: what lets them in
passwords   a password's hash, and what is a password
credentials what a session, a token or a code is known by
consents    what a third party may read of whose vehicles, what for and until when
            (`consent_scope`, `consent_tables`, `consents_told`)
throttle    how often somebody may try
door        on whose behalf something is asked, by the secret that comes with it
audit       what was done, in a chain of hashes
records     the same under names that can be forgotten
told        all of it as the API tells it
"""
