"""The car: profiles that say what its frames mean, adapters that touch its buses, and the agent."""
