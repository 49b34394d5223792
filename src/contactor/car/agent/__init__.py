"""What runs in the car: sampler, outbox, uplink."""
