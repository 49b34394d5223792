"""Early warnings out of a car's history, each with what shows it. Pure.

anomaly     what is found: kind, since when, how bad, the evidence to plot
"""
