"""Databases of an instance: opened by path or URL, migrated by area, errors as ours.

database    Database: reading(), writing(); SQLite by default, PostgreSQL by URL
areas       an area: a name, its tables, and the steps that made them
copying     the rows of some areas into another database
failures    the library's errors as ours
sqlite      how a file of SQLite is set up and checked
url         the URL of a database on a server, and how it may be shown

DIR/contactor.sqlite3, or a PostgreSQL, is precious: what people said (tags, names, rules).
DIR/history.sqlite3 is what can be found again from the lake.
"""
