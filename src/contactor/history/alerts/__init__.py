"""When somebody is to be told: rules as data, and what becomes of them. Pure.

rules       what is to be told, to whom, when not; read strictly
events      what a rule hears of one car: rows, facts, anomalies, silence, time
triggers    what each kind of rule fires at
machine     one rule and one car: event in, what is to be told out
quiet       quiet hours in the owner's time zone, and how many messages are too many

state = RuleState()
state, fired = step(rule, state, event, now_ns)
"""
