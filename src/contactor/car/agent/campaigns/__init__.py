"""Collection campaigns in the car: what is recorded beyond the usual rows.

condition   when a campaign's condition becomes true. Pure
recorder    the readings before a trigger, and the rows around it. Pure
desk        hears what is asked, keeps it, answers
"""
