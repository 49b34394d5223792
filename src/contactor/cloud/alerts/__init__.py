"""Tells people what their rules ask for: rules, alerts and what is to be sent, kept and delivered.

channels    where a message goes, as data: push, webhook, ntfy, MQTT, mail
document    rules and channels as people write them
store       all of it in the instance's database, with what was fired and what is to be sent
watch       rows, facts and silence in; alerts out
outbox      sends what is due, again and again, until it is there or too old
drivers     one per kind of channel
"""
