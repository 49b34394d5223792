"""A car made of physics: time in, CAN frames out. No clock, no bus, no I/O.

    plan ─► situation ─► body, controls ─► physics ─► what the car says ─► bit patterns ─► frames
                           ▲                                                     └─► history
    command frames ─► hearing

car = VirtualCar(load_profile("contactor_ev"), seed=1, start_ns=now_ns, live_from_ns=now_ns)
frames = car.advance(now_ns + 100 * NS_PER_MS)
"""
