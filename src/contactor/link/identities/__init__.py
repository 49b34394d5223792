"""Who a car is: its key, the certificate that names it, and the code that it was enrolled with.

    cloud                                  car
    authority ── code, read out ─────────► key pair, made there, which never leaves it
        ▲                                      │
        └────────── request, signed ◄──────────┘
        └── certificate: this key is vehicle ID, until ─► presented at every connection

Only this package and the drivers of alert channels know the library of ciphers.
"""
