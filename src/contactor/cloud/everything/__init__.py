"""Everything that is kept of a vehicle, or of a person, in one archive for whom it concerns.

archive     a zip whose README names each file
vehicle     what is kept of a vehicle
person      what is kept of a person

No password, secret or key is in either: of what lets somebody in there is when it was made.
"""
