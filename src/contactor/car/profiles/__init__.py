"""Car profiles: one folder per car model, data only, and what reads and checks them.

nissan_leaf_ze1/
├── car.dbc        which bits of which frame are which number
├── map.toml       which number is which signal of the catalogue
├── limits.toml    what may be asked of the car
└── README.md      which cars, where the facts come from, what is not known

profile = load_profile("nissan_leaf_ze1")
readings = profile.map.read(decode_columns(frames, plan))
"""
