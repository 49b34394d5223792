"""One module per command of `contactor.app.main.COMMANDS`: `add_arguments(parser)`, `run(args)`."""
