"""How others see the fleet: web (HTTP API)."""
