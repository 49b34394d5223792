"""What touches a bus, a socket or a file, and gives the car's rows or frames."""
