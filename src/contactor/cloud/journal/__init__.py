"""What people say of their history, kept: remarks on trips and charges, places, tariffs.

area      its tables
store     Journal: what is kept, read and written
fences    fences as JSON
"""
