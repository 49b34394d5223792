"""The cloud's half of collection campaigns: asked for as text, kept, sent until the cars have them.

request   a campaign as people write it: TOML or JSON
store     the campaigns of an instance in one SQLite file
sender    sends each vehicle its list, follows what the cars report
"""
