"""The cloud's half of a command: checked, kept, sent until answered, followed to its end.

dispatcher   takes commands, sends them, follows the car's reports
rules        what a car's profile allows to be asked
keys         the digital keys that were given, and taken back
revoker      tells the cars which were taken back
store        the commands of an instance in one SQLite file
"""
